import { plainDialect, type CsvDialect } from './csv-dialect.ts';
import { readSample, type SampleRow } from './csv-sample.ts';

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** What is declared of a dialect; the rest is found. */
export type KnownDialect = Partial<CsvDialect>;

/**
 * Finds the dialect of a text: the delimiter whose records agree best in their number of fields, the quote that fields
 * stand in, the escape without which quotes do not close.
 * @param wanted Column names that the header is known to hold; they decide where they are found.
 */
export function sniffDialect(text: Buffer, known: KnownDialect, wanted: readonly string[]): CsvDialect {
  const quotes = known.quote === undefined ? quotesOf(text) : [known.quote];
  const delimiters = known.delimiter === undefined ? DELIMITERS : [known.delimiter];
  const usual = { ...plainDialect, ...known };
  let best = { score: -Infinity, dialect: usual };
  for (const quote of quotes) {
    for (const delimiter of delimiters) {
      for (const escape of known.escape === undefined ? escapesOf(text, quote) : [known.escape]) {
        const dialect = { ...plainDialect, ...known, quote, delimiter, escape };
        const rows = readSample(text, dialect);
        // Where nothing is divided, nothing was found: the usual way then says what is wrong.
        if (known.delimiter === undefined && delimiter !== usual.delimiter && usualWidth(rows) === 1) continue;
        const score = scoreOf(rows, wanted);
        // The first of equals is the more usual one.
        if (score > best.score + 1e-9) best = { score, dialect };
      }
    }
  }
  const { dialect } = best;
  return known.comment === undefined ? { ...dialect, comment: commentOf(text, dialect) } : dialect;
}

/** Single quotes are taken for quotes only where fields both begin and end with them, and no double ones do. */
function quotesOf(text: Buffer): string[] {
  const sample = text.subarray(0, 65_536).toString();
  const count = (quote: string): number =>
    Array.from(
      sample.matchAll(new RegExp(`(?:^|[,;\\t|])${quote}[^\\r\\n${quote}]*${quote}(?=[,;\\t|\\r\\n]|$)`, 'gm')),
    ).length;
  return count("'") > 2 && count('"') === 0 ? ["'", '"'] : ['"'];
}

function escapesOf(text: Buffer, quote: string): string[] {
  return quote !== '' && text.includes(`\\${quote}`) ? [quote, '\\'] : [quote];
}

/** The number of fields that most records of several fields have; 1 where there are none. */
export function usualWidth(rows: readonly SampleRow[]): number {
  const counts = new Map<number, number>();
  for (const { fields, fault } of rows)
    if (fault === undefined) counts.set(fields.length, (counts.get(fields.length) ?? 0) + 1);
  let best = { width: 1, count: 0 };
  for (const [width, count] of counts)
    if (count > best.count || (count === best.count && width > best.width)) best = { width, count };
  return best.width;
}

function scoreOf(rows: readonly SampleRow[], wanted: readonly string[]): number {
  if (rows.length === 0) return -1;
  if (wanted.length > 0) {
    const most = Math.max(...rows.slice(0, 200).map((row) => matches(row, wanted)));
    if (most === wanted.length) return 1_000 + agreement(rows);
    if (most > 1) return 100 * (most / wanted.length) + agreement(rows);
  }
  return agreement(rows);
}

/** How many of the wanted names a record holds. */
export function matches(row: SampleRow, wanted: readonly string[]): number {
  const names = new Set(row.fields.map((field) => field.trim()));
  return wanted.filter((name) => names.has(name.trim())).length;
}

function agreement(rows: readonly SampleRow[]): number {
  const width = usualWidth(rows);
  const share = rows.filter(({ fields, fault }) => fault === undefined && fields.length === width).length / rows.length;
  const faults = rows.filter(({ fault }) => fault !== undefined).length / rows.length;
  // A first record of the same width is likely its header; one of another may be a title above it.
  const first = rows[0]?.fields.length === width ? 1 : 0.8;
  return share * share * first * Math.log2(width + 0.1) - faults;
}

/** `#` begins comments where every line that begins with it is no record, and there is another. */
function commentOf(text: Buffer, dialect: CsvDialect): string {
  if (text[0] !== 35 && !text.includes('\n#') && !text.includes('\r#')) return '';
  const rows = readSample(text, { ...dialect, comment: '' });
  const width = usualWidth(rows);
  const marked = rows.filter(({ fields }) => fields[0]?.startsWith('#'));
  return width > 1 && marked.length > 0 && marked.every(({ fields }) => fields.length !== width) ? '#' : '';
}
