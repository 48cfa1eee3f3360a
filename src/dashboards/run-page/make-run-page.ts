import type { SearchConnector } from '../../connectors/search.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { chartSvg } from '../render.ts';
import { hourPanels } from './hour-panels.ts';
import { runPage, type PageParts } from './page.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { stageChart, stageChartHeight } from './stage-chart.ts';

export interface RunPageInput {
  readonly report: ReportOnPage;
  readonly webUi?: string;
  /** What the panels are made from, where they are wanted. */
  readonly pipeline?: Pipeline;
  readonly search: SearchConnector;
  /** Bytes that the page may have: above them it is made without panels, and then without charts. */
  readonly most?: number;
}

/** The page of a run with all that can be had for it. */
export async function makeRunPage({ report, webUi, pipeline, search, most }: RunPageInput): Promise<string> {
  const parts: PageParts = { report, madeAt: new Date(), ...(webUi === undefined ? {} : { webUi }) };
  const chart = await stagesDrawn(report);
  const charted = chart === undefined ? parts : { ...parts, chart };
  const panels = pipeline && (await hourPanels(search, pipeline, report.hour));
  const whole = runPage(panels === undefined ? charted : { ...charted, panels });
  if (most === undefined || Buffer.byteLength(whole) <= most) return whole;
  const missing =
    'The panels are left out, as the page would be too large with them: "sluice report --html" makes it whole.';
  const smaller = runPage({ ...charted, panels: { missing } });
  return Buffer.byteLength(smaller) <= most ? smaller : runPage({ ...parts, panels: { missing } });
}

async function stagesDrawn({ stages, error }: ReportOnPage): Promise<string | undefined> {
  const failed = error?.code === 'DeadlineNear' ? undefined : error?.stage;
  const spec = stageChart(stages, failed);
  if (spec === undefined) return undefined;
  const look = { mode: 'light', width: 440, height: stageChartHeight(stages) } as const;
  return chartSvg(spec, look, { title: 'Stages', question: 'When did each stage begin, and how long did it take?' });
}
