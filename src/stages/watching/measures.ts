import type { LogicalHour } from '../../definition/hour.ts';
import { workStages } from '../../definition/names.ts';
import type { RowCounts } from '../../definition/refs.ts';
import type { CleanReport, ColumnProfile } from '../cleaning/clean-report.ts';
import { sha256Hex } from '../hashing.ts';
import type { RunReport } from '../run-report.ts';

/** What is kept of a run so that later ones can be judged by it. Small, and bounded: no more than its numbers and a few short texts a column. */
export interface HourMeasures {
  readonly version: 1;
  readonly hour: LogicalHour;
  readonly runId: string;
  /** Digest of the definition's sections that shape rows: under another one, columns are others. */
  readonly shape: string;
  /** It ran long after its hour: how old the data was, and how long it took, says nothing. */
  readonly late?: true;
  /** Hash of what was fetched. */
  readonly content?: string;
  /** By series: `rows`, `missing/usage`, `duration/clean`. Shares are parts of 1, durations seconds, ages hours. */
  readonly values: Readonly<Record<string, number>>;
  /** The file's columns: so many, and the digest of the rest. */
  readonly header?: readonly string[];
  /** Of columns with few values, the rows of each. */
  readonly categories?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What was odd, by series, with what had been expected instead. It is not learnt from until it has become the usual. */
  readonly odd: Readonly<Record<string, number>>;
  /** Series that were odd in an earlier run of this hour: what that run told may be over by this one. */
  readonly before?: readonly string[];
  /** What would be odd in a second run in a row, with what had been expected. */
  readonly suspect?: Readonly<Record<string, number>>;
}

/** What a run is measured by. */
export interface Measured {
  readonly report: Pick<RunReport, 'hour' | 'runId' | 'startedAt' | 'stages' | 'source' | 'clean'>;
  readonly shape: string;
  /** `report.json` of its cleaning; none where the source had not changed. */
  readonly cleaned?: CleanReport;
  /** Records that the consumers are behind. */
  readonly lag?: number;
}

/** Columns beyond these are not watched. */
export const WATCHED_COLUMNS = 100;
/** Texts with more different values are none that one keeps a list of; a profile lists no more. */
export const FEW_VALUES = 30;
const LONGEST = 60;
/** Of a file with more columns, those beyond are only known to be the same or others. */
const HEADER_COLUMNS = 500;
const LONGEST_NAME = 100;
/** A run that begins so long after its hour is one of a backfill. */
const LATE_MS = 3 * 3_600_000;
const HOUR_MS = 3_600_000;
export const QUANTILES = ['0.05', '0.25', '0.5', '0.75', '0.95'] as const;

/** What is kept of a run. Odd is nothing yet. */
export function measuresOf({ report, shape, cleaned, lag }: Measured): HourMeasures {
  const { hour, runId, startedAt, source } = report;
  const late = Date.parse(startedAt) - Date.parse(hour) >= LATE_MS;
  const columns = cleaned && cleaned.rows.clean > 0 ? cleaned.profile.slice(0, WATCHED_COLUMNS) : [];
  const values: Record<string, number> = {
    ...(cleaned ? ofRows(cleaned.rows) : {}),
    ...Object.assign({}, ...columns.map((column) => ofColumn(column, cleaned as CleanReport))),
    ...(late ? {} : ofTime(report, columns)),
    ...(late || lag === undefined ? {} : { lag }),
  };
  const categories = Object.fromEntries(columns.flatMap(categoriesOf));
  return {
    ...{ version: 1, hour, runId, shape },
    ...(late ? { late } : {}),
    ...(source ? { content: source.raw.sha256 } : {}),
    values,
    ...(cleaned ? { header: keptOf(cleaned.schema.header) } : {}),
    ...(Object.keys(categories).length > 0 ? { categories } : {}),
    odd: {},
  };
}

function keptOf(header: readonly string[]): readonly string[] {
  const names = header.slice(0, HEADER_COLUMNS).map((name) => {
    return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 10)}… ${digestOf(name)}` : name;
  });
  const rest = header.slice(HEADER_COLUMNS);
  return rest.length === 0 ? names : [...names, `${rest.length} more columns (${digestOf(rest.join('\n'))})`];
}

const digestOf = (text: string): string => sha256Hex(text).slice(0, 8);

function ofRows({ read, clean, duplicates, filtered, rejected }: RowCounts): Record<string, number> {
  const share = (rows: number): number => (read === 0 ? 0 : rows / read);
  return {
    ...{ rows: read, clean },
    ...(read === 0 ? {} : { duplicates: share(duplicates), filtered: share(filtered), rejected: share(rejected) }),
  };
}

function ofColumn(column: ColumnProfile, { rows, missing }: CleanReport): Record<string, number> {
  const { name, distinct, mean, quantiles } = column;
  // As the file has it, before anything was filled in; derived columns are in no file.
  const inFile = Object.hasOwn(missing, name) ? missing[name] : undefined;
  const sound = rows.read - rows.rejected;
  const share = inFile === undefined ? column.missing / rows.clean : sound === 0 ? 0 : Math.min(1, inFile / sound);
  const values: Record<string, number> = { [`missing/${name}`]: share };
  const present = rows.clean - column.missing;
  if (present === 0) return values;
  values[`distinct/${name}`] = distinct;
  // Where rows are fewer, fewer values are no news.
  values[`each/${name}`] = distinct / present;
  if (mean !== undefined) values[`mean/${name}`] = mean;
  for (const at of QUANTILES) if (quantiles?.[at] !== undefined) values[`q${at}/${name}`] = Number(quantiles[at]);
  return values;
}

function ofTime({ stages, source }: Measured['report'], columns: readonly ColumnProfile[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { stage, ms, times } of stages) {
    if (!(workStages as readonly string[]).includes(stage)) continue;
    // What it waited for on purpose, a consumer that somebody paused, is no slowness.
    const worked = ms - (times?.waitMs ?? 0);
    values[`duration/${stage}`] = (values[`duration/${stage}`] ?? 0) + worked / 1_000;
  }
  for (const { name, type, max } of source ? columns : []) {
    const newest = (type === 'date' || type === 'timestamp') && max !== undefined ? Date.parse(max) : NaN;
    if (!Number.isNaN(newest))
      values[`age/${name}`] = Math.max(0, (Date.parse(source?.fetchedAt ?? '') - newest) / HOUR_MS);
  }
  return values;
}

function categoriesOf({ name, type, distinct, distinctIsEstimate, top }: ColumnProfile) {
  const few = (type === 'string' || type === 'boolean') && distinct <= FEW_VALUES && distinct === top.length;
  // Where all are missing, nothing is known of how often each value occurs.
  if (!few || top.length === 0 || distinctIsEstimate || top.some(({ value }) => value.length > LONGEST)) return [];
  return [[name, Object.fromEntries(top.map(({ value, rows }) => [value, rows]))] as const];
}
