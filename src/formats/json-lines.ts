import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Value } from './arrow-columns.ts';
import type { Row } from './parquet.ts';

/** {@link JsonLinesRows} of rows that are there already. */
export function encodeJsonLines(columns: readonly OutputColumn[], rows: readonly Row[]): Buffer {
  const collected = new JsonLinesRows(columns);
  for (const row of rows) collected.add(columns.map(({ name }) => row[name] ?? null));
  return collected.bytes();
}

/**
 * Collects rows for one file of JSON lines: one object a line, columns in order, null where there is no value. Equal rows give equal
 * bytes. Integers and decimals stay text, as they came, so they are exact.
 * Memory: the text of the rows.
 */
export class JsonLinesRows {
  readonly #names: readonly string[];
  readonly #lines: string[] = [];

  constructor(columns: readonly OutputColumn[]) {
    this.#names = columns.map(({ name }) => JSON.stringify(name));
  }

  get count(): number {
    return this.#lines.length;
  }

  /** @param values One for each column. */
  add(values: readonly Value[]): void {
    const members = this.#names.map((name, at) => `${name}:${JSON.stringify(values[at] ?? null)}`);
    this.#lines.push(`{${members.join(',')}}\n`);
  }

  bytes(): Buffer {
    return Buffer.from(this.#lines.join(''));
  }

  async encode(): Promise<Buffer> {
    return this.bytes();
  }
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
