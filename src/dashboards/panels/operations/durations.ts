import type { ChartPanel } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, labelled, legend, newest, operationsChart, runsDown } from './panel.ts';

const RUNS = 10;
/** A run has no more stages than this, so that the newest runs are there as a whole. */
const STAGES = 16;
const large = ['prepare', 'import', 'clean', 'publish', 'land', 'index'];
const waits = ['turn', 'slot'];

/** How long the newest runs took, by stage. */
export function durations(): ChartPanel {
  const shown = ['pipeline', 'hour', 'runId', 'stage', 'position', 'ms', 'rows'] as const;
  return operationsChart({
    id: 'durations',
    title: 'Durations by stage',
    question: 'Where does the time of the newest runs go?',
    needs: ['kind', ...shown],
    size: { w: 24, h: 20 },
    spec: {
      data: newest(RUNS * STAGES, [kind('stage')], shown),
      transform: [
        ...labelled,
        { window: [{ op: 'dense_rank', as: 'age' }], sort: [{ field: 'end', order: 'descending' }] },
        { filter: `datum.age <= ${RUNS}` },
        { calculate: 'datum._source.ms / 1000', as: 'seconds' },
        { calculate: 'datum._source.position', as: 'position' },
        {
          calculate:
            `indexof(${JSON.stringify(waits)}, datum._source.stage) >= 0 ? 'waiting' : ` +
            `indexof(${JSON.stringify(large)}, datum._source.stage) >= 0 ? datum._source.stage : 'other'`,
          as: 'part',
        },
      ],
      mark: { type: 'bar' },
      encoding: {
        y: runsDown,
        x: { field: 'seconds', type: 'quantitative', title: 'seconds', axis: { tickCount: 5 } },
        order: { field: 'position', type: 'quantitative' },
        color: {
          field: 'part',
          type: 'nominal',
          title: null,
          scale: {
            domain: [...large, 'waiting', 'other'],
            range: [...palette.categories.slice(0, 6), palette.categories[7], '#b4bcc4'],
          },
          legend: legend('top'),
        },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'run' },
          { field: '_source.stage', type: 'nominal', title: 'stage' },
          { field: 'seconds', type: 'quantitative', title: 'seconds', format: ',.1f' },
          { field: '_source.rows', type: 'quantitative', title: 'rows', format: ',' },
        ],
      },
    },
  });
}
