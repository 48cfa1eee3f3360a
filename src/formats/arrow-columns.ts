import {
  Bool,
  DateDay,
  Decimal,
  Int64,
  TimestampMillisecond,
  Utf8,
  tableFromIPC,
  type Data,
  type Vector,
} from 'apache-arrow';
import type { OutputColumn } from '../definition/columns.ts';
import { fromScaled } from './decimal.ts';

/** A value of a record. Canonical: text for string, integer, decimal, date and timestamp; true or false for boolean. */
export type Value = string | number | boolean | null;

export const defaultPrecision = 18;
export const defaultScale = 6;

type ColumnArrow = Utf8 | Int64 | Decimal | Bool | DateDay | TimestampMillisecond;

/** The Arrow type of a column: Utf8, Int64, Decimal128, Bool, Date32, or Timestamp in milliseconds UTC. */
export function arrowType(column: OutputColumn): ColumnArrow {
  switch (column.type) {
    case 'string':
      return new Utf8();
    case 'integer':
      return new Int64();
    case 'decimal':
      return new Decimal(column.scale ?? defaultScale, column.precision ?? defaultPrecision, 128);
    case 'boolean':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'timestamp':
      return new TimestampMillisecond('UTC');
  }
}

/**
 * The texts of a column of one batch. Arrow's own reading takes U+FEFF off the beginning of each, as if every cell were a
 * file with a byte order mark.
 */
export function textReader(vector: Vector): (row: number) => string | null {
  const [data] = vector.data;
  if (!data || vector.data.length !== 1) return (row) => vector.get(row) as string | null;
  const { valueOffsets, values } = data as Data<Utf8>;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return (row) => (data.getValid(row) ? bytes.toString('utf8', valueOffsets[row], valueOffsets[row + 1]) : null);
}

/** The rows of an Arrow IPC stream of which every column is text. */
export function textRows(ipc: Uint8Array): (string | null)[][] {
  return tableFromIPC(ipc).batches.flatMap((batch) => {
    const readers = batch.schema.fields.map((_, at) => {
      const column = batch.getChildAt(at);
      return column && textReader(column);
    });
    return Array.from({ length: batch.numRows }, (_, row) => readers.map((read) => read?.(row) ?? null));
  });
}

/** A reader for one column of a batch: the canonical value at a row. */
export function columnReader(column: OutputColumn, vector: Vector): (row: number) => Value {
  if (column.type === 'string') return textReader(vector);
  if (column.type !== 'decimal') {
    return (row) => {
      const value = vector.get(row) as string | number | bigint | boolean | null;
      if (value === null) return null;
      switch (column.type) {
        case 'integer':
          return String(value);
        case 'date':
          return new Date(Number(value)).toISOString().slice(0, 10);
        case 'timestamp':
          return new Date(Number(value)).toISOString();
        default:
          return typeof value === 'bigint' ? String(value) : value;
      }
    };
  }
  const { scale } = vector.type as Decimal;
  return (row) => {
    const words = vector.get(row) as Uint32Array | null;
    if (words === null) return null;
    let scaled = 0n;
    for (let word = 3; word >= 0; word--) scaled = (scaled << 32n) | BigInt(words[word] ?? 0);
    return fromScaled(BigInt.asIntN(128, scaled), scale);
  };
}
