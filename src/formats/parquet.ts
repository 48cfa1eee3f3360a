import {
  Field,
  Int64,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
  makeData,
  tableFromIPC,
  tableToIPC,
  type Data,
} from 'apache-arrow';
import {
  Compression,
  Encoding,
  Table as WasmTable,
  WriterPropertiesBuilder,
  readParquet,
  writeParquet,
} from 'parquet-wasm';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { arrowType, columnReader, type Value } from './arrow-columns.ts';
import type { ColumnBuilder } from './builder.ts';
import { columnBuilder } from './column-builder.ts';
import type { TextColumns } from './text-columns.ts';

/** A record: values by column name, in canonical form (see {@link Value}). */
export type Row = Readonly<Record<string, Value>>;

/** Rows a batch on the way back: what one step of {@link decodeParquet} holds as JavaScript objects. */
const READ_BATCH_ROWS = 8_192;

/** {@link ParquetRows} of rows that are there already. */
export async function encodeParquet(columns: readonly OutputColumn[], rows: readonly Row[]): Promise<Buffer> {
  const collected = new ParquetRows(columns);
  for (const row of rows) collected.add(columns.map(({ name }) => row[name] ?? null));
  return collected.encode();
}

/**
 * Collects rows for one Parquet file: zstd, dictionaries on. Equal rows give equal bytes.
 *
 * Integers and decimals go in as text (numbers are taken too) and come back as canonical text, so they are exact.
 *
 * Memory: the rows in Arrow's form (about their size as text) with room to grow; while it is written another two copies, one of them in
 * WebAssembly, and the file. WebAssembly memory is reused but never given back, so keep a file below about 64 MiB of text.
 */
export class ParquetRows {
  readonly #columns: readonly OutputColumn[];
  readonly #builders: readonly ColumnBuilder[];
  #count = 0;

  constructor(columns: readonly OutputColumn[]) {
    this.#columns = columns;
    this.#builders = columns.map(columnBuilder);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * @param values One for each column.
   * @throws SluiceError `ObjectCorrupt` where a value is none of its column's type; nothing is added then
   */
  add(values: readonly Value[]): void {
    let at = 0;
    try {
      for (; at < this.#builders.length; at++) this.#builders[at]?.add(values[at] ?? null);
    } catch (error) {
      while (at > 0) this.#builders[--at]?.drop();
      throw error;
    }
    this.#count += 1;
  }

  async encode(): Promise<Buffer> {
    const fields = this.#columns.map((column) => new Field(column.name, arrowType(column), true));
    return written(
      fields,
      this.#builders.map((builder) => builder.data()),
      this.#count,
    );
  }
}

/** Numbers below 2^53 as Int64, by their two halves: a BigInt for each would cost more than all the rest. */
function wholeNumbers(values: readonly number[]): BigInt64Array {
  const numbers = new BigInt64Array(values.length);
  const halves = new Uint32Array(numbers.buffer);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    halves[at * 2] = value;
    if (value > 0xffff_ffff) halves[at * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return numbers;
}

/** @param rising Columns of numbers that mostly rise: as differences they are a third of the size, and quicker. */
function written(fields: Field[], children: Data[], length: number, rising: readonly string[] = []): Buffer {
  const schema = new Schema(fields);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }));
  let properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setDictionaryEnabled(true)
    .setCreatedBy('sluice');
  for (const name of rising) {
    properties = properties
      .setColumnDictionaryEnabled(name, false)
      .setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
  }
  return Buffer.from(
    writeParquet(WasmTable.fromIPCStream(tableToIPC(new Table(schema, [batch]), 'stream')), properties.build()),
  );
}

/**
 * Rows of text as one Parquet file, with where each came from behind the source's own columns: `_file` (its number),
 * `_row`, `_line` and `_offset`, all Int64. The bytes of the cells are taken as they are.
 */
export function encodeTextParquet(columns: readonly TextColumn[], cells: TextColumns, file: number): Buffer {
  const length = cells.rows;
  const { row, line, offset } = cells.origins;
  const texts = columns.map(({ position, text }) => {
    const { data, offsets } = text === undefined ? cells.cells(position) : repeated(text, length);
    return makeData({ type: new Utf8(), length, nullCount: 0, nullBitmap: null, valueOffsets: offsets, data });
  });
  const numbers = [undefined, row, line, offset].map((values) =>
    makeData({
      type: new Int64(),
      length,
      nullCount: 0,
      nullBitmap: null,
      data: values === undefined ? new BigInt64Array(length).fill(BigInt(file)) : wholeNumbers(values),
    }),
  );
  const fields = [
    ...columns.map(({ name }) => new Field(name, new Utf8(), true)),
    ...originNames.map((name) => new Field(name, new Int64(), true)),
  ];
  return written(fields, [...texts, ...numbers], length, originNames);
}

function repeated(text: string, times: number): { data: Uint8Array; offsets: Int32Array } {
  const bytes = Buffer.from(text);
  const offsets = Int32Array.from({ length: times + 1 }, (_, at) => at * bytes.length);
  return { data: bytes.length === 0 ? bytes : Buffer.alloc(times * bytes.length, bytes), offsets };
}

/** A column of a parsed part, and which one of the file it is; -1 where the file has none. */
export interface TextColumn {
  readonly name: string;
  readonly position: number;
  /** What each row has there, where it does not stand in the file. */
  readonly text?: string;
}

/** Columns that every parsed object has behind the source's own. */
export const originNames = ['_file', '_row', '_line', '_offset'] as const;

/**
 * The rows of a Parquet file in batches, with the values of `columns` in canonical form. The file's other columns are
 * left out.
 *
 * Memory: the file decoded in WebAssembly (Arrow form, all of it), and one batch of rows in JavaScript.
 * @throws SluiceError `ObjectCorrupt` where the bytes are no Parquet file or a column is missing or of another type.
 */
export function* decodeParquet(columns: readonly OutputColumn[], bytes: Uint8Array): Generator<Row[]> {
  for (const batch of arrowBatches(bytes)) {
    const readers = columns.map((column) => {
      const vector = batch.getChild(column.name);
      const expected = arrowType(column).toString();
      if (!vector || vector.type.toString() !== expected) {
        const found = vector ? `is ${vector.type.toString()}` : 'is not there';
        throw new SluiceError(
          'ObjectCorrupt',
          `A Parquet file should have ${column.name} as ${expected}; it ${found}.`,
        );
      }
      return [column.name, columnReader(column, vector)] as const;
    });
    const rows: Row[] = [];
    for (let at = 0; at < batch.numRows; at++) {
      const row = Object.create(null) as Record<string, Value>;
      for (const [name, read] of readers) row[name] = read(at);
      rows.push(row);
    }
    yield rows;
  }
}

/** The record batches of a Parquet file. @throws SluiceError `ObjectCorrupt` where the bytes are no Parquet file. */
export function* arrowBatches(bytes: Uint8Array): Generator<RecordBatch> {
  let table: WasmTable;
  try {
    table = readParquet(bytes, { batchSize: READ_BATCH_ROWS });
  } catch (error) {
    throw new SluiceError('ObjectCorrupt', `This is not a Parquet file: ${sentenceOf(error)}.`, { cause: error });
  }
  try {
    for (let at = 0; at < table.numBatches; at++) {
      const batch = table.recordBatch(at);
      if (batch) yield* tableFromIPC(batch.intoIPCStream()).batches;
    }
  } finally {
    table.free();
  }
}
