import { Field, RecordBatch, Schema, Struct, Table, makeData, tableFromIPC, tableToIPC } from 'apache-arrow';
import { Compression, Table as WasmTable, WriterPropertiesBuilder, readParquet, writeParquet } from 'parquet-wasm';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { arrowType, columnReader, encodeColumn, type Value, type ValueColumn } from './arrow-columns.ts';

/** A record: values by column name, in canonical form (see {@link Value}). */
export type Row = Readonly<Record<string, Value>>;

/** Rows a batch on the way back: what one step of {@link decodeParquet} holds as JavaScript objects. */
const READ_BATCH_ROWS = 8_192;

/**
 * Rows as one Parquet file: zstd, dictionaries on. Equal rows give equal bytes.
 *
 * Integers and decimals go in as text (numbers are taken too) and come back as canonical text, so they are exact.
 *
 * Memory: the rows, their Arrow form (about their size as text), a copy of it in WebAssembly, and the file. WebAssembly
 * memory is reused but never given back, so keep a file below about 64 MiB of text.
 * @throws SluiceError `ObjectCorrupt` where a value is none of its column's type.
 */
export async function encodeParquet(columns: readonly OutputColumn[], rows: readonly Row[]): Promise<Buffer> {
  return encodeColumns(columns.map((column) => ({ column, values: rows.map((row) => row[column.name] ?? null) })));
}

/** {@link encodeParquet} for values that are held by column. */
export async function encodeColumns(columns: readonly ValueColumn[]): Promise<Buffer> {
  const schema = new Schema(columns.map(({ column }) => new Field(column.name, arrowType(column), true)));
  const length = columns[0]?.values.length ?? 0;
  const children = columns.map(encodeColumn);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }));
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setDictionaryEnabled(true)
    .setCreatedBy('sluice')
    .build();
  return Buffer.from(
    writeParquet(WasmTable.fromIPCStream(tableToIPC(new Table(schema, [batch]), 'stream')), properties),
  );
}

/** Where each row of a parsed part came from: the columns beside the source's own. */
export interface RowOrigins {
  readonly file: readonly string[];
  readonly row: readonly number[];
  readonly line: readonly number[];
  readonly offset: readonly number[];
}

/** An all-text table with `_file` (text), `_row`, `_line` and `_offset` (Int64) behind the source's own columns. */
export async function encodeTextParquet(
  names: readonly string[],
  columns: readonly (readonly (string | null)[])[],
  origins: RowOrigins,
): Promise<Buffer> {
  return encodeColumns([
    ...names.map((name, at): ValueColumn => ({ column: { name, type: 'string' }, values: columns[at] ?? [] })),
    { column: { name: '_file', type: 'string' }, values: origins.file },
    { column: { name: '_row', type: 'integer' }, values: origins.row },
    { column: { name: '_line', type: 'integer' }, values: origins.line },
    { column: { name: '_offset', type: 'integer' }, values: origins.offset },
  ]);
}

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
