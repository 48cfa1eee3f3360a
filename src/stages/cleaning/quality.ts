import type { Level } from '../../definition/cleaning.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { QualityVerdict, RowCounts } from '../../definition/refs.ts';

/** What the gates look at. */
export interface QualityFacts {
  readonly rows: RowCounts;
  /** Rows that break no rule of their own, and those of them without a value by clean column. */
  readonly sound: number;
  readonly missing: Readonly<Record<string, number>>;
  /** Clean rows of the last committed hours below this one, as many as the gate looks at, in any order. */
  readonly before: readonly number[];
}

/** Judges an hour's rows by the gates of the definition. Gates that are not set give no verdict. */
export function judgeQuality(
  quality: Pipeline['quality'],
  { rows, missing, sound, before }: QualityFacts,
): QualityVerdict[] {
  const verdicts: QualityVerdict[] = [];
  const { rejectedPercent, minRows, missingPercent, rowChangePercent } = quality;
  if (rejectedPercent) {
    const share = percent(rows.rejected, rows.read);
    const found = `${rows.rejected} of ${rows.read} rows were rejected (${share.toFixed(2)} %)`;
    verdicts.push(above('rejectedPercent', share, rejectedPercent, found));
  }
  if (minRows) {
    const under = (bound: number | undefined): boolean => bound !== undefined && rows.clean < bound;
    const level = under(minRows.block) ? 'block' : under(minRows.warn) ? 'warn' : 'ok';
    verdicts.push({
      gate: 'minRows',
      level,
      sentence: sentence(`${rows.clean} rows are clean`, level, minRows, 'rows'),
    });
  }
  for (const [column, level] of Object.entries(missingPercent ?? {})) {
    const share = percent(missing[column] ?? 0, sound);
    const found = `${missing[column] ?? 0} of ${sound} rows have no ${column} (${share.toFixed(2)} %)`;
    verdicts.push(above(`missingPercent.${column}`, share, level, found));
  }
  if (rowChangePercent) verdicts.push(rowChange(rows.clean, before, rowChangePercent));
  return verdicts;
}

function rowChange(clean: number, before: readonly number[], level: Level): QualityVerdict {
  const gate = 'rowChangePercent';
  if (before.length === 0) return { gate, level: 'ok', sentence: 'There is no earlier hour to compare with.' };
  const sorted = before.toSorted((a, b) => a - b);
  const middle = Math.floor((sorted.length - 1) / 2);
  const median = ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
  const change = median === 0 ? (clean === 0 ? 0 : Infinity) : (Math.abs(clean - median) / median) * 100;
  const more = clean < median ? 'fewer' : 'more';
  const found = `${clean} rows are clean, ${change.toFixed(2)} % ${more} than the ${median} of the last ${before.length} hours (median)`;
  return above(gate, change, level, found);
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : (part / whole) * 100);

function above(gate: string, value: number, bounds: Level, found: string): QualityVerdict {
  const over = (bound: number | undefined): boolean => bound !== undefined && value > bound;
  const level = over(bounds.block) ? 'block' : over(bounds.warn) ? 'warn' : 'ok';
  return { gate, level, sentence: sentence(found, level, bounds, '%') };
}

function sentence(found: string, level: QualityVerdict['level'], bounds: Level, unit: string): string {
  if (level === 'ok') return `${found}.`;
  return `${found}; the bound that ${level}s is ${bounds[level]} ${unit}.`;
}
