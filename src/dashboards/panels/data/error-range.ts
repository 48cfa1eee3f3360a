import type { ChartPanel } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { chart, search } from '../chart.ts';
import { binned, lookOf, niceStep } from '../numbers.ts';
import { lower, words } from '../words.ts';

/** How far off a measure may be, against the measure itself. */
export function errorRange(subject: Subject): ChartPanel | undefined {
  const { error } = subject;
  const range = error === undefined ? undefined : subject.ranges.get(error.of);
  // Without bounds there is no interval that is sure to give few bins.
  if (error === undefined || range === undefined) return undefined;
  const interval = niceStep(range.max - range.min, 20);
  const { value, axis } = lookOf(subject, error.of);
  const of = lower(error.of);
  return chart(subject, {
    id: `${error.range}-against-${error.of}`,
    title: `${words(error.range)} against ${of}`,
    question: `How far off may ${of} be, and does that depend on how high it is? Line: mean; area: one standard deviation about it; over all hours in range.`,
    needs: [error.of, error.range],
    size: { w: 24, h: 16 },
    spec: {
      data: search(subject, 'buckets', {
        ...binned(error.of, interval),
        aggs: { error: { extended_stats: { field: error.range } } },
      }),
      transform: [
        { filter: 'datum.error.count > 0' },
        // In the middle of its bin; what is the upper bound itself has one of its own.
        { calculate: `round(datum.key / ${interval}) * ${interval}`, as: 'from' },
        { calculate: `min(datum.from + ${interval / 2}, ${range.max})`, as: 'middle' },
        { calculate: `format(datum.from, '${value}')`, as: 'from_text' },
        { calculate: 'datum.error.avg', as: 'mean_error' },
        { calculate: 'max(datum.error.min, datum.error.avg - datum.error.std_deviation)', as: 'low' },
        { calculate: 'min(datum.error.max, datum.error.avg + datum.error.std_deviation)', as: 'high' },
      ],
      encoding: {
        x: {
          ...{ field: 'middle', type: 'quantitative', title: words(error.of) },
          axis: { format: axis, tickCount: 6, labelOverlap: true, grid: false },
          scale: { domain: [range.min, range.max], nice: false },
        },
      },
      layer: [
        {
          mark: { type: 'area', color: palette.main, opacity: 0.25, tooltip: null },
          encoding: {
            y: {
              ...{ field: 'low', type: 'quantitative', title: words(error.range) },
              axis: { format: axis, tickCount: 5 },
            },
            y2: { field: 'high' },
          },
        },
        {
          mark: { type: 'line', color: palette.main, point: { size: 30, color: palette.main } },
          encoding: {
            y: { field: 'mean_error', type: 'quantitative' },
            tooltip: [
              { field: 'from_text', type: 'nominal', title: `${words(error.of)} from` },
              { field: 'mean_error', type: 'quantitative', title: `Mean ${lower(error.range)}`, format: value },
              { field: 'low', type: 'quantitative', title: 'Mean less one deviation', format: value },
              { field: 'high', type: 'quantitative', title: 'Mean plus one deviation', format: value },
              { field: 'doc_count', type: 'quantitative', title: 'Records in range', format: ',' },
            ],
          },
        },
      ],
    },
  });
}
