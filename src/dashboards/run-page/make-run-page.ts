import type { SearchConnector } from '../../connectors/search.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { chartSvg } from '../render.ts';
import { hourPanels } from './hour-panels.ts';
import { runPage, type DrawnPanels, type Figure, type PageParts, type Panels } from './page.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { stageChart, stageChartHeight } from './stage-chart.ts';

export interface RunPageInput {
  readonly report: ReportOnPage;
  readonly webUi?: string;
  /** Where traces are looked at: `SLUICE_TRACE_URL`. */
  readonly traceUrl?: string;
  /** What the panels are made from, where they are wanted; or a sentence that says why that cannot be had. */
  readonly pipeline?: Pipeline | { readonly missing: string };
  readonly search: SearchConnector;
  /** Bytes that the page may have: above them the largest panels are left out, one by one, and then the chart of the stages. */
  readonly most?: number;
  /** Panels that are not drawn by then are left out; any time where left out. */
  readonly drawnWithinMs?: number;
}

/** The page of a run with all that can be had for it. */
export async function makeRunPage(input: RunPageInput): Promise<string> {
  const { report, webUi, traceUrl, most } = input;
  const parts: PageParts = {
    ...{ report, madeAt: new Date() },
    ...(webUi === undefined ? {} : { webUi }),
    ...(traceUrl === undefined ? {} : { traceUrl }),
  };
  const chart = await stagesDrawn(report);
  const charted = chart === undefined ? parts : { ...parts, chart };
  const panels = await panelsOf(input);
  const whole = runPage(panels === undefined ? charted : { ...charted, panels });
  if (most === undefined || Buffer.byteLength(whole) <= most) return whole;
  let left = panels;
  while (left !== undefined && 'figures' in left && left.figures.some(isDrawn)) {
    left = withoutLargest(left);
    const smaller = runPage({ ...charted, panels: left });
    if (Buffer.byteLength(smaller) <= most) return smaller;
  }
  return runPage(left === undefined ? parts : { ...parts, panels: left });
}

async function panelsOf({ report, pipeline, search, drawnWithinMs }: RunPageInput): Promise<Panels | undefined> {
  if (pipeline === undefined || 'missing' in pipeline) return pipeline;
  return hourPanels(search, pipeline, report.hour, drawnWithinMs);
}

const isDrawn = (figure: Figure): figure is Figure & { readonly svg: string } => 'svg' in figure;

function withoutLargest({ figures, leftOut = [], ...rest }: DrawnPanels): DrawnPanels {
  const [largest] = figures.filter(isDrawn).toSorted((a, b) => b.svg.length - a.svg.length);
  if (!largest) return { ...rest, figures, leftOut };
  return { ...rest, figures: figures.filter((figure) => figure !== largest), leftOut: [...leftOut, largest.title] };
}

async function stagesDrawn({ stages, error }: ReportOnPage): Promise<string | undefined> {
  const failed = error?.code === 'DeadlineNear' ? undefined : error?.stage;
  const spec = stageChart(stages, failed);
  if (spec === undefined) return undefined;
  const look = { mode: 'light', width: 440, height: stageChartHeight(stages) } as const;
  return chartSvg(spec, look, { title: 'Stages', question: 'When did each stage begin, and how long did it take?' });
}
