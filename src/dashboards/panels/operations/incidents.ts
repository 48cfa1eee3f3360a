import type { ChartPanel } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, labelled, newest, operationsChart, timeAcross } from './panel.ts';

const RUNS = 500;

/** Runs that failed, along the time, by what they failed with. */
export function incidents(): ChartPanel {
  const shown = ['pipeline', 'hour', 'runId', 'errorCode', 'errorStage', 'errorMessage'] as const;
  return operationsChart({
    id: 'incidents',
    title: 'What went wrong, and when',
    question: 'Which runs failed, when, and with which error?',
    needs: ['kind', 'outcome', ...shown],
    size: { w: 48, h: 12 },
    spec: {
      data: newest(RUNS, [kind('run'), { term: { outcome: 'failed' } }], shown),
      transform: [...labelled],
      mark: { type: 'point', shape: 'diamond', filled: true, size: 110, color: palette.bad, opacity: 0.75 },
      encoding: {
        x: timeAcross,
        y: {
          field: '_source.errorCode',
          type: 'nominal',
          title: null,
          axis: { labelLimit: 150, grid: true, ticks: false, domain: false },
        },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'run' },
          { field: 'ended', type: 'nominal', title: 'failed at' },
          { field: '_source.errorCode', type: 'nominal', title: 'error' },
          { field: '_source.errorStage', type: 'nominal', title: 'in stage' },
          { field: '_source.errorMessage', type: 'nominal', title: 'what was found' },
        ],
      },
    },
  });
}
