import {
  Bool,
  DateDay,
  Decimal,
  Int64,
  TimestampMillisecond,
  Utf8,
  makeData,
  tableFromIPC,
  type Data,
  type Vector,
} from 'apache-arrow';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError } from '../definition/errors.ts';
import { fromScaled, plainDigits, toScaled } from './decimal.ts';

/** A value of a record. Canonical: text for string, integer, decimal, date and timestamp; true or false for boolean. */
export type Value = string | number | boolean | null;

/** The values of one column, in row order. */
export interface ValueColumn {
  readonly column: OutputColumn;
  readonly values: readonly Value[];
}

const DAY_MS = 86_400_000;
const WORD = 0xffff_ffffn;
/** Decimals of at most this many digits are exact in a double once scaled, so no BigInt is needed. */
const SAFE_DIGITS = 15;

const defaultPrecision = 18;
const defaultScale = 6;

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
 * The values of a column as Arrow memory: one typed array and, where there are nulls, a validity bitmap.
 * @throws SluiceError `ObjectCorrupt` where a value is none of the column's type.
 */
export function encodeColumn({ column, values }: ValueColumn): Data {
  const length = values.length;
  const { nullBitmap, nullCount } = validity(values);
  const nulls = { length, nullCount, nullBitmap };
  switch (column.type) {
    case 'string': {
      const { data, valueOffsets } = encodeTexts(column, values);
      return makeData({ type: new Utf8(), ...nulls, valueOffsets, data });
    }
    case 'integer': {
      const data = new BigInt64Array(length);
      for (const [at, value] of values.entries()) if (value !== null) data[at] = integerOf(column, value);
      return makeData({ type: new Int64(), ...nulls, data });
    }
    case 'decimal': {
      const type = arrowType(column) as Decimal;
      return makeData({ type, ...nulls, data: encodeDecimals(column, type, values) });
    }
    case 'boolean': {
      const data = new Uint8Array(Math.ceil(length / 8));
      for (const [at, value] of values.entries()) {
        if (value === true || value === 'true') data[at >> 3] = (data[at >> 3] ?? 0) | (1 << (at & 7));
        else if (value !== null && value !== false && value !== 'false') throw misfit(column, value);
      }
      return makeData({ type: new Bool(), ...nulls, data });
    }
    case 'date': {
      const data = new Int32Array(length);
      for (const [at, value] of values.entries()) if (value !== null) data[at] = instantOf(column, value) / DAY_MS;
      return makeData({ type: new DateDay(), ...nulls, data });
    }
    case 'timestamp': {
      const data = new BigInt64Array(length);
      for (const [at, value] of values.entries()) if (value !== null) data[at] = BigInt(instantOf(column, value));
      return makeData({ type: new TimestampMillisecond('UTC'), ...nulls, data });
    }
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

function validity(values: readonly Value[]): { nullBitmap: Uint8Array | null; nullCount: number } {
  let nullCount = 0;
  for (const value of values) if (value === null) nullCount++;
  if (nullCount === 0) return { nullBitmap: null, nullCount };
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  for (const [at, value] of values.entries()) {
    if (value !== null) nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return { nullBitmap, nullCount };
}

function encodeTexts(column: OutputColumn, values: readonly Value[]): { data: Uint8Array; valueOffsets: Int32Array } {
  const valueOffsets = new Int32Array(values.length + 1);
  let bytes = 0;
  for (const [at, value] of values.entries()) {
    if (value !== null && typeof value !== 'string') throw misfit(column, value);
    if (value !== null) bytes += Buffer.byteLength(value);
    if (bytes > 0x7fff_ffff) throw new SluiceError('ObjectCorrupt', `Column ${column.name} passes 2 GiB in one file.`);
    valueOffsets[at + 1] = bytes;
  }
  const data = Buffer.alloc(bytes);
  for (const [at, value] of values.entries()) if (value !== null) data.write(value as string, valueOffsets[at] ?? 0);
  return { data, valueOffsets };
}

function encodeDecimals(column: OutputColumn, type: Decimal, values: readonly Value[]): Uint32Array {
  const data = new Uint32Array(values.length * 4);
  const limit = 10n ** BigInt(type.precision);
  for (const [at, value] of values.entries()) {
    if (value === null) continue;
    if (typeof value === 'boolean') throw misfit(column, value);
    const text = typeof value === 'number' ? plainDigits(value) : value;
    const scaled = toScaled(text, type.scale);
    if (scaled >= limit || -scaled >= limit) throw misfit(column, value);
    if (type.precision <= SAFE_DIGITS) {
      const number = Number(scaled);
      data[at * 4] = number;
      const high = Math.floor(number / 0x1_0000_0000);
      data[at * 4 + 1] = high;
      if (number < 0) data.fill(0xffff_ffff, at * 4 + 2, at * 4 + 4);
      continue;
    }
    let rest = BigInt.asUintN(128, scaled);
    for (let word = 0; word < 4; word++, rest >>= 32n) data[at * 4 + word] = Number(rest & WORD);
  }
  return data;
}

function integerOf(column: OutputColumn, value: string | number | boolean): bigint {
  if (typeof value === 'boolean') throw misfit(column, value);
  const scaled = toScaled(typeof value === 'number' ? plainDigits(value) : value, 0);
  if (BigInt.asIntN(64, scaled) !== scaled) throw misfit(column, value);
  return scaled;
}

function instantOf(column: OutputColumn, value: string | number | boolean): number {
  const form = column.type === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/;
  const ms = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw misfit(column, value);
  return ms;
}

function misfit(column: OutputColumn, value: Value): SluiceError {
  const type =
    column.type === 'decimal'
      ? `decimal(${column.precision ?? defaultPrecision},${column.scale ?? defaultScale})`
      : column.type;
  return new SluiceError(
    'ObjectCorrupt',
    `Column ${column.name} is ${type}, and ${JSON.stringify(value).slice(0, 60)} is no such value.`,
  );
}
