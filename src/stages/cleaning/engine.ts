import type { SparkWork } from '../../definition/spark-work.ts';
import type { StageContext } from '../deps.ts';
import type { CleanRules, RejectRule } from './rules.ts';

/** The Parquet parts of a parsed object, in order. */
export interface Parts {
  /** Their paths on this machine, where they are brought when they are first asked for. */
  local(): Promise<readonly string[]>;
  /** Their uris in the object store; absent where they are on this machine alone. */
  readonly stored?: readonly string[];
}

/** Parts that lie on this machine. */
export const partsHere = (paths: readonly string[]): Parts => ({ local: async () => paths });

/** A parsed object, and what is to become of it. */
export interface CleanJob {
  readonly rules: CleanRules;
  readonly parts: Parts;
  /** The raw files by the number that `_file` holds: sha256, with `#n` behind it for the nth time of the same bytes. */
  readonly files: readonly string[];
  /** A folder of the job's own: what the engine makes goes there, and scratch. */
  readonly folder: string;
  readonly context: StageContext;
}

/** A row that an engine rejects: a line of its rejects, `row,at,rule`. The rest is looked up, the same way for all engines. */
export interface FoundReject {
  readonly row: number;
  /** Position of the column; behind the last one that of the stranger, and behind those that of the derived column. */
  readonly at: number;
  readonly rule: RejectRule;
}

export interface CleanOutcome {
  /** The engine's clean.csv: `rules.header`, then rows in source order. */
  readonly cleanPath: string;
  /** {@link FoundReject} lines in row order, without a header; an empty file where there are none. */
  readonly rejectsPath: string;
  /** Rows of the parsed object: clean + duplicates + filtered + rejected. */
  readonly rows: {
    readonly clean: number;
    readonly duplicates: number;
    readonly filtered: number;
    readonly rejected: number;
  };
  /** Rows that break no rule of their own. */
  readonly sound: number;
  /** Of these the rows without a value, by clean column, before anything is put in. */
  readonly missing: Readonly<Record<string, number>>;
  /** What mean, median and mode came to, by clean column. */
  readonly fills: Readonly<Record<string, string>>;
  /** What Spark did for it, where that is known. */
  readonly spark?: SparkWork;
}

/** Whoever cleans. Engines give the same two files, byte for byte. */
export interface CleanEngine {
  readonly name: 'duckdb' | 'danfojs' | 'spark';
  clean(job: CleanJob): Promise<CleanOutcome>;
}

/** What became of the rows, for engines that speak SQL. @param tally As `tallySql` has it. */
export function rowsOf(
  { keep, key }: CleanRules,
  [all = 0, kept = 0, bad = 0]: readonly number[],
  clean: number,
  rejected: number,
): CleanOutcome['rows'] {
  const conflicting = keep === 'reject' && key.length > 0 ? rejected - bad : 0;
  return { clean, duplicates: kept - clean - conflicting, filtered: all - kept - bad, rejected };
}

/** What is known of the columns, for engines that speak SQL. @param counted As `missingSql` has it. */
export function factsOf(
  { columns }: CleanRules,
  [sound = 0, ...missing]: readonly number[],
  fills: ReadonlyMap<number, string>,
): Pick<CleanOutcome, 'sound' | 'missing' | 'fills'> {
  return {
    sound,
    missing: Object.fromEntries(columns.map(({ name }, at) => [name, missing[at] ?? 0])),
    fills: Object.fromEntries([...fills].map(([at, text]) => [columns[at]?.name ?? '', text])),
  };
}
