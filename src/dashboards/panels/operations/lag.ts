import type { ChartPanel } from '../../panel.ts';
import { kind, labelled, legend, newest, operationsChart, timeAcross } from './panel.ts';

const RUNS = 500;
/** Of more pipelines the legend would leave no room for the chart; the tooltip names each. */
const NAMED = 8;

const records = {
  field: '_source.lag',
  type: 'quantitative',
  title: 'records not landed',
  axis: { format: '~s', tickCount: 5, tickMinStep: 1 },
};

/** Records that had not landed when a run was over, run by run. */
export function lag(): ChartPanel {
  const shown = ['pipeline', 'hour', 'runId', 'lag'] as const;
  return operationsChart({
    id: 'lag',
    title: 'Lag',
    question: 'Do the consumers keep up with what is published?',
    needs: ['kind', ...shown],
    size: { w: 24, h: 20 },
    spec: {
      data: newest(RUNS, [kind('run'), { exists: { field: 'lag' } }], shown),
      transform: [...labelled],
      layer: [
        // Where all have landed, which is as it should be, there is no stretch from least to most. Said once: Vega-Lite would compare two of it.
        {
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { y: { ...records, scale: { domain: { unionWith: [0, 1] } } } },
        },
        { mark: { type: 'point', filled: true, size: 40, opacity: 1 }, encoding: { y: records } },
      ],
      encoding: {
        x: timeAcross,
        color: {
          field: '_source.pipeline',
          type: 'nominal',
          title: null,
          legend: { ...legend('top'), symbolLimit: NAMED },
        },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'run' },
          { field: 'ended', type: 'nominal', title: 'was over' },
          { field: '_source.lag', type: 'quantitative', title: 'records not landed', format: ',' },
        ],
      },
    },
  });
}
