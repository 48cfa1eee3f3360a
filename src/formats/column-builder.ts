import { Bool, Utf8, makeData, type Data } from 'apache-arrow';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError } from '../definition/errors.ts';
import { Builder, clearBit, FIRST_ROWS, longer, misfit, setBit, type ColumnBuilder } from './builder.ts';
import { DateBuilder, DecimalBuilder, IntegerBuilder, TimestampBuilder } from './number-builders.ts';

/** A builder for a column of any type. Memory: what the values take in Arrow's form, and up to as much again to grow into. */
export function columnBuilder(column: OutputColumn): ColumnBuilder {
  switch (column.type) {
    case 'string':
      return new TextBuilder(column);
    case 'boolean':
      return new BooleanBuilder(column);
    case 'date':
      return new DateBuilder(column);
    case 'integer':
      return new IntegerBuilder(column);
    case 'decimal':
      return new DecimalBuilder(column);
    case 'timestamp':
      return new TimestampBuilder(column);
  }
}

class TextBuilder extends Builder {
  #ends = new Int32Array(this.capacity + 1);
  #bytes = Buffer.allocUnsafe(FIRST_ROWS * 8);

  protected grow(): void {
    this.#ends = longer(this.#ends, this.capacity + 1);
  }

  protected put(row: number, value: string | number | boolean): void {
    if (typeof value !== 'string') throw misfit(this.column, value);
    const at = this.#ends[row] ?? 0;
    // No letter takes more than three bytes for each of its units.
    const room = at + value.length * 3;
    if (room > this.#bytes.length) {
      if (room > 0x7fff_ffff) {
        throw new SluiceError('ObjectCorrupt', `Column ${this.column.name} passes 2 GiB in one file.`);
      }
      const wider = Buffer.allocUnsafe(Math.max(room, this.#bytes.length * 2));
      this.#bytes.copy(wider, 0, 0, at);
      this.#bytes = wider;
    }
    this.#ends[row + 1] = at + this.#bytes.write(value, at);
  }

  protected override skip(row: number): void {
    this.#ends[row + 1] = this.#ends[row] ?? 0;
  }

  data(): Data {
    const valueOffsets = this.#ends.subarray(0, this.rows + 1);
    const data = this.#bytes.subarray(0, valueOffsets[this.rows]);
    return makeData({ type: new Utf8(), ...this.validity, valueOffsets, data });
  }
}

class BooleanBuilder extends Builder {
  #bits = new Uint8Array(this.capacity / 8);

  protected grow(): void {
    this.#bits = longer(this.#bits, this.capacity / 8);
  }

  protected put(row: number, value: string | number | boolean): void {
    if (value === true || value === 'true') setBit(this.#bits, row);
    else if (value !== false && value !== 'false') throw misfit(this.column, value);
  }

  protected override clear(row: number): void {
    clearBit(this.#bits, row);
  }

  data(): Data {
    return makeData({ type: new Bool(), ...this.validity, data: this.#bits.subarray(0, Math.ceil(this.rows / 8)) });
  }
}
