import type { ChartPanel } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, labelled, legend, newest, operationsChart, runsDown } from './panel.ts';

const RUNS = 10;
/** A report has no more of them, so that the newest runs are there as a whole. */
const ANOMALIES = 50;

/** What the monitors found odd in the newest runs in which they did, a piece for each, by rule. */
export function anomalies(): ChartPanel {
  const shown = [
    ...(['pipeline', 'hour', 'runId', 'position', 'rule', 'subject'] as const),
    ...(['severity', 'muted', 'deviations', 'sentence'] as const),
  ];
  return operationsChart({
    id: 'anomalies',
    title: 'What was odd, by rule',
    question: 'In which runs did the monitors find something odd, and what?',
    needs: ['kind', ...shown],
    size: { w: 48, h: 18 },
    spec: {
      data: newest(RUNS * ANOMALIES, [kind('anomaly')], shown),
      transform: [
        ...labelled,
        { window: [{ op: 'dense_rank', as: 'age' }], sort: [{ field: 'end', order: 'descending' }] },
        { filter: `datum.age <= ${RUNS}` },
        { calculate: '1', as: 'one' },
        { calculate: 'datum._source.position', as: 'position' },
        {
          calculate:
            "isValid(datum._source.deviations) ? format(datum._source.deviations, ',.1f') + ' usual deviations' : null",
          as: 'off',
        },
        { calculate: "datum._source.severity + (datum._source.muted ? ' (muted)' : '')", as: 'bad' },
      ],
      mark: { type: 'bar', stroke: palette.border, strokeWidth: 1 },
      encoding: {
        y: runsDown,
        x: {
          field: 'one',
          type: 'quantitative',
          title: 'odd',
          axis: { format: 'd', tickMinStep: 1 },
        },
        order: { field: 'position', type: 'quantitative' },
        color: { field: '_source.rule', type: 'nominal', title: null, legend: legend('top') },
        // What nobody was told of.
        opacity: { condition: { test: 'datum._source.muted', value: 0.4 }, value: 1 },
        tooltip: [
          { field: 'label', type: 'nominal', title: 'run' },
          { field: '_source.rule', type: 'nominal', title: 'rule' },
          { field: '_source.subject', type: 'nominal', title: 'of' },
          { field: 'bad', type: 'nominal', title: 'severity' },
          { field: 'off', type: 'nominal', title: 'off by' },
          { field: '_source.sentence', type: 'nominal', title: 'what was found' },
        ],
      },
    },
  });
}
