import type { SampleRow } from './csv-sample.ts';
import { matches, usualWidth } from './sniff-dialect.ts';

/** Titles and notes above a header are looked for in so many records. */
const PREAMBLE_ROWS = 200;

/**
 * Finds the record that is the header: the first that holds all columns that are wanted; else the first that looks like
 * one, with nothing but sparse lines above it; else the first.
 * @returns its place in `rows`
 */
export function findHeader(rows: readonly SampleRow[], wanted: readonly string[]): number {
  if (wanted.length > 0) {
    const known = rows.slice(0, PREAMBLE_ROWS).findIndex((row) => matches(row, wanted) === wanted.length);
    if (known !== -1) return known;
  }
  const width = usualWidth(rows);
  if (width < 2) return 0;
  for (const [at, row] of rows.slice(0, PREAMBLE_ROWS).entries()) {
    if (isHeader(row, width)) return at;
    if (!isSparse(row, width)) break;
  }
  return 0;
}

/** Full of different words: no field empty, none a number, none twice. */
function isHeader({ fields, fault }: SampleRow, width: number): boolean {
  if (fault !== undefined || fields.length !== width) return false;
  const names = fields.map((field) => field.trim());
  return new Set(names).size === width && names.every((name) => name !== '' && !/^[-+]?[\d.,]+%?$/.test(name));
}

/** A title or a note: one field, or fewer than half of them. A record of more is data, and is not passed over. */
function isSparse({ fields, fault }: SampleRow, width: number): boolean {
  const filled = fields.filter((field) => field.trim() !== '').length;
  return fault !== undefined || filled <= 1 || filled < width / 2;
}
