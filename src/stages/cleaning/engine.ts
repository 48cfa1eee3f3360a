import type { StageContext } from '../deps.ts';
import type { CleanRules, RejectRule } from './rules.ts';

/** A parsed object on this machine, and what is to become of it. */
export interface CleanJob {
  readonly rules: CleanRules;
  /** Paths of the parsed object's Parquet parts, in order. */
  readonly parts: readonly string[];
  /** The raw files by the number that `_file` holds: sha256, with `#n` behind it for the nth time of the same bytes. */
  readonly files: readonly string[];
  /** A folder of the job's own: `clean.csv` and `rejects.ndjson` go there, and scratch. */
  readonly folder: string;
  readonly context: StageContext;
}

/** A row that cleaning rejected, as it stands in an engine's `rejects.ndjson`. */
export interface RuleReject {
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  /** The clean column that broke its rule. */
  readonly column: string;
  readonly rule: RejectRule;
  /** The text as it stands in the file. */
  readonly value: string;
}

export interface CleanOutcome {
  readonly cleanPath: string;
  /** {@link RuleReject} lines in row order; an empty file where there are none. */
  readonly rejectsPath: string;
  /** Rows of the parsed object: clean + duplicates + filtered + rejected. */
  readonly rows: {
    readonly clean: number;
    readonly duplicates: number;
    readonly filtered: number;
    readonly rejected: number;
  };
  /** Rows by `column rule`. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Rows without a value, by clean column, before any default. */
  readonly missing: Readonly<Record<string, number>>;
}

/** Whoever cleans. Engines give the same two files, byte for byte. */
export interface CleanEngine {
  readonly name: 'duckdb' | 'danfojs';
  clean(job: CleanJob): Promise<CleanOutcome>;
}

/** A line of rejects.ndjson; members in one order, so that equal rejects are equal bytes. */
export function rejectLine({ file, row, line, byteOffset, column, rule, value }: RuleReject): string {
  return `${JSON.stringify({ file, row, line, byteOffset, column, rule, value })}\n`;
}
