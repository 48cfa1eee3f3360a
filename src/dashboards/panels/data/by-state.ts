import type { ChartPanel } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { stateRows } from '../../us.ts';
import { chart } from '../chart.ts';
import { lookOf } from '../numbers.ts';
import { lower, words } from '../words.ts';
import { meanByState } from './mean-by.ts';

/** States ranked by the mean of the main measure. */
export function byState(subject: Subject): ChartPanel | undefined {
  const [measure] = subject.measures;
  if (subject.state === undefined || measure === undefined) return undefined;
  const { value, axis } = lookOf(subject, measure);
  return chart(subject, {
    id: `${measure}-by-state`,
    title: `${words(measure)} by state, ranked`,
    question: `Which states have the most ${lower(measure)}, and which the least? Means over all hours in range.`,
    needs: [subject.state, measure],
    size: { w: 16, h: 32 },
    spec: {
      data: meanByState(subject, subject.state, measure),
      transform: [
        { calculate: 'datum.mean.value', as: 'mean_value' },
        { filter: 'isValid(datum.mean_value)' },
        { lookup: 'key', from: { data: { values: [...stateRows] }, key: 'letters', fields: ['name'] } },
        { calculate: 'datum.name || datum.key', as: 'state' },
      ],
      mark: { type: 'bar', color: palette.main },
      encoding: {
        y: {
          field: 'key',
          type: 'nominal',
          sort: '-x',
          title: null,
          axis: { labelOverlap: true, labelFontSize: 9, ticks: false },
        },
        x: { field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}`, axis: { format: axis } },
        tooltip: [
          { field: 'state', type: 'nominal', title: 'State' },
          { field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}`, format: value },
          { field: 'doc_count', type: 'quantitative', title: 'Records in range', format: ',' },
        ],
      },
    },
  });
}
