import type { ChartPanel } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, labelled, legend, newest, operationsChart, runsDown } from './panel.ts';

const RUNS = 10;
const outcomes = ['clean', 'duplicates', 'filtered', 'rejected'] as const;
const stages = ['published', 'landed', 'indexed'] as const;
const counts = [...outcomes, ...stages];

/** The rows of the newest runs: what cleaning made of them, and how many of the clean ones each stage behind it had. */
export function rowsPerRun(): ChartPanel {
  const shown = ['pipeline', 'hour', 'runId', ...counts] as const;
  return operationsChart({
    id: 'rows-per-run',
    title: 'Rows by stage and outcome',
    question: 'What became of the rows of the newest runs, stage by stage?',
    needs: ['kind', 'dataset', ...shown],
    size: { w: 28, h: 20 },
    spec: {
      data: newest(RUNS, [kind('dataset'), { term: { dataset: 'main' } }], shown),
      transform: [
        ...labelled,
        ...counts.map((field) => ({ calculate: `datum._source.${field}`, as: field })),
        { fold: [...counts], as: ['count', 'rows'] },
        { filter: 'isValid(datum.rows)' },
        { calculate: `indexof(${JSON.stringify(stages)}, datum.count) < 0 ? 'cleaned' : datum.count`, as: 'stage' },
        { calculate: "datum.stage === 'cleaned' ? datum.count : 'clean'", as: 'outcome' },
        { calculate: `indexof(${JSON.stringify(outcomes)}, datum.outcome)`, as: 'order' },
      ],
      mark: { type: 'bar' },
      encoding: {
        y: runsDown,
        yOffset: { field: 'stage', type: 'nominal', sort: ['cleaned', ...stages] },
        x: { field: 'rows', type: 'quantitative', title: 'rows', axis: { format: '~s', tickCount: 5 } },
        order: { field: 'order', type: 'quantitative' },
        color: {
          field: 'outcome',
          type: 'nominal',
          title: null,
          scale: {
            domain: [...outcomes],
            range: [palette.main, palette.categories[4], palette.categories[7], palette.bad],
          },
          legend: legend('top'),
        },
        opacity: {
          field: 'stage',
          type: 'ordinal',
          sort: ['cleaned', ...stages],
          title: null,
          scale: { domain: ['cleaned', ...stages], range: [1, 0.75, 0.55, 0.4] },
          legend: { ...legend('bottom'), symbolFillColor: palette.main, symbolStrokeWidth: 0 },
        },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'run' },
          { field: 'stage', type: 'nominal', title: 'stage' },
          { field: 'outcome', type: 'nominal', title: 'outcome' },
          { field: 'rows', type: 'quantitative', title: 'rows', format: ',' },
        ],
      },
    },
  });
}
