import type { FastifyBaseLogger } from 'fastify';
import { SearchConnector } from '../../connectors/search.ts';
import { readSettings } from '../../connectors/settings.ts';
import { answerChart, answerMetric, valuesOf, type FieldValues } from '../../dashboards/answering.ts';
import { compileChart } from '../../dashboards/compile.ts';
import { drawing, undrawable } from '../../dashboards/drawable.ts';
import type { Dashboard, Panel } from '../../dashboards/panel.ts';
import { dashboardsOf } from '../../dashboards/registry.ts';
import type { PanelContext } from '../../dashboards/requests.ts';
import { withShapesFrom } from '../../dashboards/shapes.ts';
import { named, tableOf } from '../../dashboards/table.ts';
import type { Mode } from '../../dashboards/theme.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { scheduledNames } from '../schedules/scheduled.ts';
import { AnswerCache } from './answer-cache.ts';
import type { PanelAnswer } from './dashboard-schemas.ts';
import type { TemporalSession } from './temporal-session.ts';

/** Many who look at once cost one search. */
const ANSWERS_MS = 5_000;
const MOST_ANSWERS = 100;
/** Searches on their way to Elasticsearch; each with its own aggregations. */
const SEARCHES_AT_ONCE = 20;
const DEFINITIONS_MS = 15_000;

interface Parts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly session: TemporalSession;
  readonly pipeline?: Pipeline;
  readonly log: FastifyBaseLogger;
  /** Where a map's shapes are, by name. */
  readonly shapes: Readonly<Record<string, string>>;
}

/** The dashboards that there are, and what their panels say. Only what is registered is ever searched for. */
export class Dashboards {
  readonly #parts: Parts;
  readonly #answers = new AnswerCache(ANSWERS_MS, MOST_ANSWERS, SEARCHES_AT_ONCE);
  readonly #definitions = new AnswerCache(DEFINITIONS_MS, 1);
  #search: SearchConnector | undefined;
  /** For while Temporal is away. */
  #last: readonly Pipeline[];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#last = parts.pipeline === undefined ? [] : [parts.pipeline];
  }

  /** While Temporal is away, those that were there before. */
  list(): Promise<Dashboard[]> {
    const { log } = this.#parts;
    return this.#definitions.get('all', async () =>
      dashboardsOf(await this.#pipelines(), (pipeline, error) => log.warn({ pipeline }, sentenceOf(error))),
    );
  }

  /** @throws SluiceError `DashboardUnknown` */
  async dashboard(id: string): Promise<Dashboard> {
    const all = await this.list();
    const found = all.find((one) => one.id === id);
    if (found) return found;
    const there = all.map((one) => one.id).join(', ');
    throw new SluiceError('DashboardUnknown', `There is no dashboard "${id}"; there is ${there}.`);
  }

  /** @throws SluiceError `DashboardUnknown` */
  panel({ id, panels }: Dashboard, wanted: string): Panel {
    const found = panels.find((panel) => panel.id === wanted);
    if (found) return found;
    const there = panels.map((panel) => panel.id).join(', ');
    throw new SluiceError('DashboardUnknown', `${id} has no panel "${wanted}"; it has ${there}.`);
  }

  /** What a panel says. @throws SluiceError `ElasticsearchUnavailable`, `DashboardInvalid` */
  answer(panel: Panel, context: PanelContext, mode: Mode): Promise<PanelAnswer> {
    const filters = Object.entries(context.filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const look = panel.kind === 'chart' ? mode : '';
    const key = JSON.stringify([panel.id, panel.index, context.from, context.to, look, filters]);
    return this.#answers.get(key, () => this.#ask(panel, context, mode));
  }

  /** The values that a field has and that can be filtered by, in their order. @throws SluiceError `DashboardUnknown`, `ElasticsearchUnavailable` */
  values({ id, index, filters }: Dashboard, field: string): Promise<FieldValues> {
    if (!filters.some((filter) => filter.field === field)) {
      const there = filters.map((filter) => filter.field).join(', ') || 'no field';
      throw new SluiceError('DashboardUnknown', `${id} cannot be filtered by "${field}"; it can by ${there}.`);
    }
    return this.#answers.get(JSON.stringify([index, field]), () => valuesOf(this.#connected(), index, field));
  }

  async close(): Promise<void> {
    await this.#search?.close();
  }

  async #ask(panel: Panel, context: PanelContext, mode: Mode): Promise<PanelAnswer> {
    const search = this.#connected();
    if (panel.kind === 'metric') return { kind: 'metric', ...(await answerMetric(search, panel, context)) };
    const { spec, told } = named(await answerChart(search, panel, context));
    const vega = drawing(panel.id, () => compileChart(spec, { mode }));
    const table =
      told === undefined
        ? { columns: [], rows: [] }
        : await tableOf(vega, told).catch((error: unknown) => {
            throw undrawable(panel.id, error);
          });
    return { kind: 'chart', spec: { ...withShapesFrom(vega, this.#parts.shapes) }, table: mutable(table) };
  }

  /** It is there once it is first needed. @throws SluiceError `SettingsInvalid` */
  #connected(): SearchConnector {
    this.#search ??= new SearchConnector(readSettings(this.#parts.environment).elasticsearch);
    return this.#search;
  }

  async #pipelines(): Promise<readonly Pipeline[]> {
    const { session, pipeline, log } = this.#parts;
    try {
      this.#last = await session.use(async ({ schedules }) => {
        const names = await scheduledNames(schedules);
        const found = await Promise.all(
          names.map((name) =>
            schedules.definition(name).catch((error: unknown) => {
              // Others are looked at all the same.
              if (!(error instanceof SluiceError)) throw error;
              log.warn({ schedule: name }, sentenceOf(error));
              return undefined;
            }),
          ),
        );
        const sound = found.filter((one) => one !== undefined);
        const own = pipeline === undefined || sound.some(({ name }) => name === pipeline.name) ? [] : [pipeline];
        return [...sound, ...own].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      });
    } catch (error) {
      // What was there a while ago can be looked at without Temporal.
      log.warn(sentenceOf(error));
    }
    return this.#last;
  }
}

const mutable = ({ columns, rows }: Awaited<ReturnType<typeof tableOf>>) => ({
  columns: [...columns],
  rows: rows.map((row) => [...row]),
});
