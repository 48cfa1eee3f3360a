import type { ChartPanel, Json, JsonObject } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { chart, search } from '../chart.ts';
import {
  binned,
  eachBucket,
  lookOf,
  niceStep,
  RECORDS,
  RECORDS_AXIS,
  recordsAnHour,
  searchAnHour,
} from '../numbers.ts';
import { lower, words } from '../words.ts';

/** Each measure's distribution: records by bin where the definition bounds its values, and its quantiles where not. */
export const distributions = (subject: Subject): ChartPanel[] =>
  subject.measures.map((measure) => {
    const range = subject.ranges.get(measure);
    const parts = range === undefined ? quantiles(subject, measure) : bins(subject, measure, range);
    return chart(subject, {
      id: `${measure}-distribution`,
      title: `Distribution of ${lower(measure)}`,
      needs: [measure, 'hour'],
      size: { w: 16, h: 16 },
      ...parts,
    });
  });

interface Parts {
  readonly question: string;
  readonly spec: JsonObject;
}

function bins(subject: Subject, measure: string, { min, max }: { min: number; max: number }): Parts {
  const isWhole = subject.fields.get(measure) === 'integer';
  const interval = Math.max(niceStep(max - min, 20), isWhole ? 1 : 0);
  const first = Math.floor(min / interval);
  // What is the upper bound itself belongs to the bin below it, unless it is whole and has one of its own.
  const last = isWhole ? Math.floor(max / interval) : Math.max(first, Math.ceil(max / interval) - 1);
  const { axis, isFraction } = lookOf(subject, measure);
  const written = isFraction ? '~%' : ',~r';
  const steps: readonly Json[] = [
    ...eachBucket(),
    { calculate: `min(round(datum.key / ${interval}), ${last})`, as: 'bin' },
    {
      aggregate: [
        { op: 'sum', field: 'doc_count', as: 'doc_count' },
        { op: 'max', field: 'all_hours', as: 'all_hours' },
      ],
      groupby: ['bin'],
    },
    ...recordsAnHour,
    { calculate: `datum.bin * ${interval}`, as: 'from' },
    { calculate: `(datum.bin + 1) * ${interval}`, as: 'to' },
    { calculate: `format(datum.from, '${written}') + ' to ' + format(datum.to, '${written}')`, as: 'span' },
  ];
  return {
    question: `How many records have a high ${lower(measure)}, and how many a low one? Records of one hour, on average over the hours in range.`,
    spec: {
      data: searchAnHour(subject, binned(measure, interval)),
      transform: [...steps],
      mark: { type: 'bar', color: palette.main, binSpacing: 1 },
      encoding: {
        x: {
          ...{ field: 'from', type: 'quantitative', bin: 'binned', title: words(measure) },
          axis: { format: axis, grid: false, tickCount: 6, labelOverlap: true },
          scale: { domain: [first * interval, (last + 1) * interval], nice: false },
        },
        x2: { field: 'to' },
        y: { field: 'records', type: 'quantitative', title: 'Records an hour', axis: RECORDS_AXIS },
        tooltip: [
          { field: 'span', type: 'nominal', title: words(measure) },
          { field: 'records', type: 'quantitative', title: 'Records an hour', format: RECORDS },
          { field: 'share', type: 'quantitative', title: 'Share', format: '.1%' },
        ],
      },
    },
  };
}

/** Nothing is known of the values, so no interval could be said beforehand that is sure to give few bins, and not a million. */
function quantiles(subject: Subject, measure: string): Parts {
  const { value, axis } = lookOf(subject, measure);
  return {
    question: `Which share of the records is below which ${lower(measure)}? Over all hours in range.`,
    spec: {
      data: search(subject, 'values', {
        percentiles: { field: measure, percents: Array.from({ length: 21 }, (_, at) => at * 5), keyed: false },
      }),
      transform: [{ filter: 'isValid(datum.value)' }, { calculate: 'datum.key / 100', as: 'share' }],
      mark: { type: 'line', color: palette.main, point: { size: 25, color: palette.main } },
      encoding: {
        x: {
          ...{ field: 'value', type: 'quantitative', title: words(measure), scale: { zero: false } },
          axis: { format: axis, tickCount: 6, labelOverlap: true },
        },
        y: {
          ...{ field: 'share', type: 'quantitative', title: 'Share of records below' },
          axis: { format: '~%', tickCount: 5 },
        },
        order: { field: 'share', type: 'quantitative' },
        tooltip: [
          { field: 'share', type: 'quantitative', title: 'Share of records below', format: '.0%' },
          { field: 'value', type: 'quantitative', title: words(measure), format: value },
        ],
      },
    },
  };
}
