import type { ColumnType, OutputColumn } from '../../definition/columns.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { QualityVerdict, RowCounts } from '../../definition/refs.ts';

/** What a clean column holds. Numbers as canonical texts where they are values of the column. */
export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  readonly missing: number;
  readonly distinct: number;
  readonly distinctIsEstimate?: boolean;
  readonly min?: string;
  readonly max?: string;
  readonly mean?: number;
  /** By share: `0.5` is the median. */
  readonly quantiles?: Readonly<Record<string, string>>;
  /** The most frequent values. */
  readonly top: readonly { readonly value: string; readonly rows: number }[];
  readonly histogram?: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
}

/** Columns of the file and of the data set, to compare with the next run's. */
export interface TableSchema {
  readonly header: readonly string[];
  readonly columns: readonly OutputColumn[];
}

/** What became other since the run before. */
export interface SchemaDiff {
  readonly since: LogicalHour;
  readonly header: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly reordered: boolean;
  };
  readonly columns: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** `usage: decimal(6,4) → decimal(8,4)` */
    readonly changed: readonly string[];
  };
}

/** `report.json` of a cleaned hour. */
export interface CleanReport {
  readonly pipeline: string;
  readonly hour?: LogicalHour;
  readonly engine: string;
  readonly rows: RowCounts;
  /** Rejected rows by `column rule`; `row …` for those that are no record. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Sound rows without a value, before anything was put in, by clean column. */
  readonly missing: Readonly<Record<string, number>>;
  /** What mean, median and mode came to, by clean column. */
  readonly fills: Readonly<Record<string, string>>;
  readonly unknownColumns: readonly string[];
  /** Rows that an overlay mended. */
  readonly mended: number;
  /** Rows whose key an earlier hour has. */
  readonly seenBefore: number;
  readonly quality: readonly QualityVerdict[];
  readonly schema: TableSchema;
  readonly schemaDiff?: SchemaDiff;
  readonly profile: readonly ColumnProfile[];
  /** Milliseconds by what was done. */
  readonly timings: Readonly<Record<string, number>>;
}

/** What changed between two runs; undefined where nothing did. */
export function schemaDiff(since: LogicalHour, before: TableSchema, now: TableSchema): SchemaDiff | undefined {
  const without = (from: readonly string[], others: readonly string[]): string[] =>
    from.filter((name) => !others.includes(name));
  const names = ({ columns }: TableSchema): string[] => columns.map(({ name }) => name);
  const added = without(now.header, before.header);
  const removed = without(before.header, now.header);
  const both = (header: readonly string[], other: readonly string[]): string =>
    header.filter((name) => other.includes(name)).join('\n');
  const reordered = both(now.header, before.header) !== both(before.header, now.header);
  const changed = now.columns.flatMap((column) => {
    const old = before.columns.find(({ name }) => name === column.name);
    return old && typeText(old) !== typeText(column) ? [`${column.name}: ${typeText(old)} → ${typeText(column)}`] : [];
  });
  const columns = { added: without(names(now), names(before)), removed: without(names(before), names(now)), changed };
  const nothing = [added, removed, columns.added, columns.removed, changed].every(({ length }) => length === 0);
  return nothing && !reordered ? undefined : { since, header: { added, removed, reordered }, columns };
}

function typeText({ type, precision, scale }: OutputColumn): string {
  return type === 'decimal' ? `decimal(${precision},${scale})` : type;
}
