import { setTimeout as wait } from 'node:timers/promises';
import type { SearchConnector } from '../../connectors/search.ts';
import { sentenceOf } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { answerChart, answerMetric } from '../answering.ts';
import { metricOf, metricText } from '../metric-text.ts';
import type { Panel } from '../panel.ts';
import { dataDashboard } from '../panels/index.ts';
import { panelSvg } from '../render.ts';
import type { PanelContext } from '../requests.ts';
import type { DrawnPanels, Figure, Panels } from './page.ts';

/**
 * The panels of a pipeline's data, of one hour's documents alone. Never fails: where they cannot be had, a sentence says why, of all or of one.
 * @param withinMs panels that are not drawn by then are left out
 */
export async function hourPanels(
  search: SearchConnector,
  pipeline: Pipeline,
  hour: LogicalHour,
  withinMs = Infinity,
): Promise<Panels> {
  const until = Date.now() + withinMs;
  try {
    const { panels, index } = dataDashboard(pipeline);
    const context = contextOf(pipeline, hour);
    const count = await search.request('the documents of an hour', (client) =>
      client.count(
        { index, ignore_unavailable: true, query: { term: { hour } } },
        { requestTimeout: 5_000, maxRetries: 0 },
      ),
    );
    if (count.count === 0)
      return { missing: 'Elasticsearch has no document of this hour, so there is nothing to draw.' };
    return await drawn(panels, until, (panel) => figureOf(search, panel, context));
  } catch (error) {
    return { missing: `The panels of this hour could not be drawn: ${sentenceOf(error)}` };
  }
}

/** One after the other, as long as there is time; one that fails takes no other with it. */
async function drawn(
  panels: readonly Panel[],
  until: number,
  draw: (panel: Panel) => Promise<Figure>,
): Promise<DrawnPanels> {
  const figures: Figure[] = [];
  for (const [at, panel] of panels.entries()) {
    const { title, question } = panel;
    const figure = await before(until, () =>
      draw(panel).catch((error: unknown) => ({ title, question, failed: `Could not be drawn: ${sentenceOf(error)}` })),
    );
    if (figure === undefined) return { figures, tooSlow: panels.slice(at).map((left) => left.title) };
    figures.push(figure);
  }
  return { figures };
}

/** What comes of it; undefined where that is not there in time. @param until milliseconds */
async function before<T>(until: number, work: () => Promise<T>): Promise<T | undefined> {
  if (until === Infinity) return work();
  if (Date.now() >= until) return undefined;
  const over = new AbortController();
  try {
    return await Promise.race([work(), wait(until - Date.now(), undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}

/** The hour's documents, wherever the field that panels go by puts them. */
function contextOf({ dashboards, generate }: Pipeline, hour: LogicalHour): PanelContext {
  const { time = 'hour' } = dashboards;
  const ofHour = time === 'hour' || generate.fields[time]?.kind === 'logicalHour';
  const range = ofHour ? { from: hour, to: hour } : { from: '0001-01-01', to: '9999-12-31' };
  return { ...range, filters: { hour: [hour] } };
}

async function figureOf(search: SearchConnector, panel: Panel, context: PanelContext): Promise<Figure> {
  const { title, question, size } = panel;
  if (panel.kind === 'metric') {
    const { value, documents } = await answerMetric(search, panel, context);
    return { title, question, text: metricText(panel.format, value), of: metricOf(panel.format, value, documents) };
  }
  const spec = await answerChart(search, panel, context);
  const broad = size.w > 24;
  const look = { mode: 'light', width: broad ? 860 : 460, height: Math.min(560, size.h * 20) } as const;
  return { title, question, broad, svg: await panelSvg({ panel, spec }, look) };
}
