import type { StageTiming } from '../../stages/run-report.ts';
import type { JsonObject } from '../panel.ts';
import { SCHEMA } from '../panels/chart.ts';
import { palette } from '../theme.ts';

/** When each stage of a run began and how long it took, as a chart. @param failed the stage that ended the run @returns undefined where there was none */
export function stageChart(stages: readonly StageTiming[], failed: string | undefined): JsonObject | undefined {
  const [first] = stages;
  if (first === undefined) return undefined;
  const begin = Date.parse(first.startedAt);
  const values = stages.map(({ stage, startedAt, ms }) => {
    const from = (Date.parse(startedAt) - begin) / 1_000;
    return { stage, from, to: from + ms / 1_000, state: stage === failed ? 'failed' : 'went through' };
  });
  const y = { field: 'stage', type: 'nominal', sort: null, title: null };
  const colour = {
    field: 'state',
    type: 'nominal',
    scale: { domain: ['went through', 'failed'], range: [palette.main, palette.bad] },
    legend: null,
  };
  return {
    $schema: SCHEMA,
    data: { values },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar', minBandSize: 8 },
        encoding: {
          x: { field: 'from', type: 'quantitative', title: 'seconds from the start of the run' },
          x2: { field: 'to' },
          color: colour,
        },
      },
      // A stage that took no time would not be seen.
      {
        mark: { type: 'tick', thickness: 2 },
        encoding: { x: { field: 'from', type: 'quantitative' }, color: colour },
      },
    ],
  };
}

/** Pixels: as high as its stages need. */
export const stageChartHeight = (stages: readonly StageTiming[]): number => 60 + stages.length * 22;
