import type { ChartPanel } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { chart, search } from '../chart.ts';
import { words } from '../words.ts';

/** States ranked by the mean of the main measure. */
export function byState(subject: Subject): ChartPanel | undefined {
  const [measure] = subject.measures;
  if (subject.state === undefined || measure === undefined) return undefined;
  const data = search(subject, 'aggregations.states.buckets', {
    states: {
      terms: { field: subject.state, size: 60, order: { mean: 'desc' } },
      aggs: { mean: { avg: { field: measure } } },
    },
  });
  return chart(subject, {
    id: `${measure}-by-state`,
    title: `${words(measure)} by state`,
    question: `Which states have the most ${words(measure).toLowerCase()}, and which the least?`,
    needs: [subject.state, measure],
    size: { w: 16, h: 26 },
    spec: {
      data,
      mark: { type: 'bar', color: palette.main, tooltip: true },
      encoding: {
        y: { field: 'key', type: 'nominal', sort: '-x', title: null },
        x: { field: 'mean.value', type: 'quantitative', title: `mean of ${words(measure).toLowerCase()}` },
        tooltip: [
          { field: 'key', type: 'nominal', title: 'state' },
          { field: 'mean.value', type: 'quantitative', title: 'mean', format: '.3f' },
          { field: 'doc_count', type: 'quantitative', title: 'records', format: ',' },
        ],
      },
    },
  });
}
