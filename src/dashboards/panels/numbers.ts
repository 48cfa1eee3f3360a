import type { Json, JsonObject } from '../panel.ts';
import type { Subject } from '../subject.ts';
import { search } from './chart.ts';

/** How a field's numbers are written, as d3 formats. */
export interface NumberLook {
  readonly value: string;
  readonly axis: string;
  readonly isFraction: boolean;
}

/** Of a fraction of 0 to 1: percent. Of others: as many digits as tell values apart. */
export function lookOf({ ranges, fields }: Pick<Subject, 'ranges' | 'fields'>, field: string): NumberLook {
  const range = ranges.get(field);
  if (range !== undefined && range.min >= 0 && range.max === 1 && fields.get(field) === 'decimal') {
    return { value: '.1%', axis: '~%', isFraction: true };
  }
  const size = range === undefined ? undefined : Math.max(Math.abs(range.min), Math.abs(range.max));
  const value = size === undefined ? ',.3~f' : size >= 1_000 ? ',.0f' : size >= 100 ? ',.1f' : ',.2f';
  return { value, axis: size === undefined || size >= 100_000 ? '~s' : ',~r', isFraction: false };
}

/** Records of one hour, on average: hours in range repeat each other’s records. */
export const RECORDS = ',.4~r';
/** The same along an axis. */
export const RECORDS_AXIS = { format: ',~r', tickCount: 5, labelOverlap: true };

/** A step of 1, 2 or 5 times a power of ten that divides the range in about so many. */
export function niceStep(width: number, parts: number): number {
  const raw = width / parts;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= raw * 0.999) ?? 10;
  // 2 * 0.1 ** 3 and the like have a rest in the last digit.
  return Number((factor * power).toPrecision(3));
}

/**
 * A histogram whose bins hold what they say. Elasticsearch divides by the interval, and 0.15 / 0.05 is a little less than 3: so bins
 * begin a little earlier. `round(datum.key / interval)` numbers them.
 */
export const binned = (field: string, interval: number): JsonObject => ({
  histogram: { field, interval, offset: -interval * 1e-9, min_doc_count: 1 },
});

/** Elasticsearch's most: up to so many logical hours, four and a half years of them, the count is all but exact. */
const EXACT = 40_000;

/**
 * `data` of a chart of {@link recordsAnHour}: the buckets, and beside them how many logical hours all records in range are of. No bucket need have
 * records in each of these.
 */
export const searchAnHour = (subject: Parameters<typeof search>[0], buckets: JsonObject): JsonObject =>
  search(subject, 'buckets', {
    filters: { filters: [{ match_all: {} }] },
    aggs: { hours: { cardinality: { field: 'hour', precision_threshold: EXACT } }, each: buckets },
  });

/** Steps that make a row of each bucket, with its `key` and `doc_count`. @param more what else of a bucket is needed */
export const eachBucket = (...more: readonly string[]): Json[] => [
  { calculate: 'datum.hours.value', as: 'all_hours' },
  { calculate: 'datum.each.buckets', as: 'bucket' },
  { flatten: ['bucket'] },
  ...['key', 'doc_count', ...more].map((name) => ({ calculate: `datum.bucket.${name}`, as: name })),
];

/** Steps behind {@link eachBucket} that add `records`: those of an hour, on average over all hours in range, and their `share`. */
export const recordsAnHour: readonly Json[] = [
  { calculate: 'datum.doc_count / max(1, datum.all_hours)', as: 'records' },
  { joinaggregate: [{ op: 'sum', field: 'records', as: 'all_records' }] },
  { calculate: 'datum.records / datum.all_records', as: 'share' },
];
