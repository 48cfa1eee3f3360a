import { plainDialect, type CsvDialect } from './csv-dialect.ts';
import { CsvParser } from './csv-parser.ts';
import { TextColumns } from './text-columns.ts';
import { bytesDecoder } from './text-decoder.ts';

/** A record of the first part of a file, or a line that is none. */
export interface SampleRow {
  /** 1-based. */
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with it, where it is none. */
  readonly fault?: string;
}

/** How many records are looked at. */
const SAMPLE_ROWS = 1_000;

/** A sample of text, as UTF-8, cut behind its last whole line where it is not all of the file. */
export function sampleText(head: Buffer, whole: boolean, encoding: string, bom: number): Buffer {
  const decoder = bytesDecoder(encoding, bom);
  const text = Buffer.concat([decoder.push(head.subarray(bom)).bytes, ...(whole ? [decoder.end().bytes] : [])]);
  if (whole) return text;
  const end = Math.max(text.lastIndexOf(10), text.lastIndexOf(13));
  return end === -1 ? text : text.subarray(0, end + 1);
}

/** Reads a sample in a dialect: records of any width, in file order. */
export function readSample(text: Buffer, dialect: Partial<CsvDialect>, rows = SAMPLE_ROWS): SampleRow[] {
  const parser = new CsvParser({ ...plainDialect, ...dialect, fieldLength: 131_072, invalidBytes: 'replace' });
  const columns = new TextColumns();
  const found: SampleRow[] = [];
  parser.push({ bytes: text, marks: [], invalid: [] });
  parser.end();
  const taken = (): void => {
    for (let at = 0; at < columns.rows; at++) {
      found.push({ line: columns.line(at), fields: columns.texts(at) });
    }
    columns.clear();
  };
  let state = '';
  while (found.length < rows && state !== 'more') {
    const faults: SampleRow[] = [];
    state = parser.read(columns, 1, Infinity, ({ line, reason }) => faults.push({ line, fields: [], fault: reason }));
    found.push(...faults);
    taken();
  }
  return found;
}
