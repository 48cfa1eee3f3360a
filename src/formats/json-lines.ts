import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Value } from './arrow-columns.ts';
import type { Row } from './parquet.ts';

/**
 * Rows as JSON lines: one object a line, columns in order, null where there is no value. Equal rows give equal bytes.
 * Integers and decimals stay text, as they came, so they are exact.
 * Memory: the rows and their text.
 */
export function encodeJsonLines(columns: readonly OutputColumn[], rows: readonly Row[]): Buffer {
  const names = columns.map(({ name }) => [name, JSON.stringify(name)] as const);
  const line = (row: Row): string =>
    `{${names.map(([name, quoted]) => `${quoted}:${JSON.stringify(row[name] ?? null)}`).join(',')}}\n`;
  return Buffer.from(rows.map(line).join(''));
}

/**
 * The rows of a file that {@link encodeJsonLines} wrote, in batches. Memory: one batch of rows beside the bytes.
 * @throws SluiceError `ObjectCorrupt` where a line is not a JSON object, naming the line.
 */
export function* decodeJsonLines(columns: readonly OutputColumn[], bytes: Buffer, batchRows = 8_192): Generator<Row[]> {
  let rows: Row[] = [];
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    rows.push(decodeLine(columns, bytes.toString('utf8', start, end), line));
    start = end + 1;
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

function decodeLine(columns: readonly OutputColumn[], text: string, line: number): Row {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new SluiceError('ObjectCorrupt', `Line ${line} is not JSON: ${sentenceOf(error)}.`, { cause: error });
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new SluiceError('ObjectCorrupt', `Line ${line} is not a JSON object.`);
  }
  const row = Object.create(null) as Record<string, Value>;
  for (const { name } of columns) row[name] = (parsed as Record<string, Value>)[name] ?? null;
  return row;
}
