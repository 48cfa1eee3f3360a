import type { Data } from 'apache-arrow';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError } from '../definition/errors.ts';
import { defaultPrecision, defaultScale, type Value } from './arrow-columns.ts';

/** Collects the values of one column as Arrow memory: one typed array and, where there are nulls, a validity bitmap. */
export interface ColumnBuilder {
  /** @throws SluiceError `ObjectCorrupt` where the value is none of the column's type; nothing is added then */
  add(value: Value): void;
  /** Takes back what was added last. */
  drop(): void;
  /** What was added. It shares memory with the builder. */
  data(): Data;
}

/** Rows that there is room for at first. */
export const FIRST_ROWS = 64;

/** What all builders have: a number of rows and which of them are null. */
export abstract class Builder implements ColumnBuilder {
  protected readonly column: OutputColumn;
  protected rows = 0;
  protected capacity = FIRST_ROWS;
  #nulls: Uint8Array | undefined;
  #nullCount = 0;

  constructor(column: OutputColumn) {
    this.column = column;
  }

  add(value: Value): void {
    if (this.rows === this.capacity) {
      this.capacity *= 2;
      this.grow();
      if (this.#nulls) this.#nulls = longer(this.#nulls, this.capacity / 8);
    }
    if (value === null) this.#addNull();
    else {
      this.put(this.rows, value);
      if (this.#nulls) setBit(this.#nulls, this.rows);
    }
    this.rows += 1;
  }

  drop(): void {
    this.rows -= 1;
    const nulls = this.#nulls;
    if (nulls && !hasBit(nulls, this.rows)) this.#nullCount -= 1;
    else if (nulls) clearBit(nulls, this.rows);
    this.clear(this.rows);
  }

  abstract data(): Data;

  /** Makes room for `capacity` rows. */
  protected abstract grow(): void;

  protected abstract put(row: number, value: string | number | boolean): void;

  /** A row without a value. */
  protected skip(_row: number): void {}

  /** Leaves nothing of a value that `put` would not write over. */
  protected clear(_row: number): void {}

  protected get validity(): { length: number; nullCount: number; nullBitmap: Uint8Array | null } {
    const nullBitmap = this.#nulls?.subarray(0, Math.ceil(this.rows / 8)) ?? null;
    return { length: this.rows, nullCount: this.#nullCount, nullBitmap };
  }

  #addNull(): void {
    if (!this.#nulls) {
      this.#nulls = new Uint8Array(this.capacity / 8);
      for (let row = 0; row < this.rows; row++) setBit(this.#nulls, row);
    }
    this.#nullCount += 1;
    this.skip(this.rows);
  }
}

export function longer<T extends Uint8Array | Int32Array | Uint32Array>(from: T, length: number): T {
  const made = new (from.constructor as new (length: number) => T)(length);
  made.set(from);
  return made;
}

export function setBit(bits: Uint8Array, row: number): void {
  bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
}

export function clearBit(bits: Uint8Array, row: number): void {
  bits[row >> 3] = (bits[row >> 3] ?? 0) & ~(1 << (row & 7));
}

const hasBit = (bits: Uint8Array, row: number): boolean => ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;

export function misfit(column: OutputColumn, value: Value): SluiceError {
  const type =
    column.type === 'decimal'
      ? `decimal(${column.precision ?? defaultPrecision},${column.scale ?? defaultScale})`
      : column.type;
  return new SluiceError(
    'ObjectCorrupt',
    `Column ${column.name} is ${type}, and ${JSON.stringify(value).slice(0, 60)} is no such value.`,
  );
}
