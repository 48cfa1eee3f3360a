import type { JsonObject } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { search } from '../chart.ts';

/** Fifty states and what else has two letters. */
const STATES = 100;
/** More than the 3,244 counties and the like that FIPS has. */
const COUNTIES = 5_000;

/** Mean of a measure by state, the largest first. Rows: `key`, `doc_count`, `mean.value`. */
export const meanByState = (subject: Subject, field: string, measure: string): JsonObject =>
  meanBy(subject, field, measure, STATES);

/** Mean of a measure by county. Rows as of {@link meanByState}. */
export const meanByCounty = (subject: Subject, field: string, measure: string): JsonObject =>
  meanBy(subject, field, measure, COUNTIES);

function meanBy(subject: Subject, field: string, measure: string, size: number): JsonObject {
  return search(subject, 'buckets', { terms: { field, size }, aggs: { mean: { avg: { field: measure } } } });
}
