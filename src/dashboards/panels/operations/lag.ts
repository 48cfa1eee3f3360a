import type { ChartPanel } from '../../panel.ts';
import { kind, labelled, legend, newest, operationsChart, timeAcross } from './panel.ts';

const RUNS = 500;
/** Of more pipelines the legend would leave no room for the chart; the tooltip names each. */
const NAMED = 8;

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
      mark: { type: 'line', point: { size: 40 }, strokeWidth: 2 },
      encoding: {
        x: timeAcross,
        y: {
          field: '_source.lag',
          type: 'quantitative',
          title: 'records not landed',
          // Where all have landed, which is as it should be, there is no stretch from least to most.
          scale: { domain: { unionWith: [0, 1] } },
          axis: { format: '~s', tickCount: 5, tickMinStep: 1 },
        },
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
