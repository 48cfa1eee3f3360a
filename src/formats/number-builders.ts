import { DateDay, Int64, TimestampMillisecond, makeData, type Data, type Decimal } from 'apache-arrow';
import type { OutputColumn } from '../definition/columns.ts';
import { arrowType } from './arrow-columns.ts';
import { Builder, longer, misfit } from './builder.ts';
import { plainDigits, toScaled } from './decimal.ts';

const DAY_MS = 86_400_000;
const WORD = 0x1_0000_0000;
/** Decimals of at most this many digits are exact in a double once scaled, so no BigInt is needed. */
const SAFE_DIGITS = 15;

export class DateBuilder extends Builder {
  #days = new Int32Array(this.capacity);

  protected grow(): void {
    this.#days = longer(this.#days, this.capacity);
  }

  protected put(row: number, value: string | number | boolean): void {
    this.#days[row] = instantOf(this.column, value) / DAY_MS;
  }

  data(): Data {
    return makeData({ type: new DateDay(), ...this.validity, data: this.#days.subarray(0, this.rows) });
  }
}

/** Numbers of 32-bit words, the low ones first. */
abstract class WordsBuilder extends Builder {
  readonly #width: number;
  #words: Uint32Array;

  constructor(column: OutputColumn, width: number) {
    super(column);
    this.#width = width;
    this.#words = new Uint32Array(this.capacity * width);
  }

  protected grow(): void {
    this.#words = longer(this.#words, this.capacity * this.#width);
  }

  protected override clear(row: number): void {
    this.#words.fill(0, row * this.#width, (row + 1) * this.#width);
  }

  protected get words(): Uint32Array {
    return this.#words.subarray(0, this.rows * this.#width);
  }

  protected get wholes(): BigInt64Array {
    return new BigInt64Array(this.#words.buffer, 0, this.rows);
  }

  /** A whole number that a double holds exactly. */
  protected putNumber(row: number, number: number): void {
    const at = row * this.#width;
    this.#words[at] = number;
    this.#words[at + 1] = Math.floor(number / WORD);
    if (number < 0) this.#words.fill(0xffff_ffff, at + 2, at + this.#width);
  }

  protected putBig(row: number, number: bigint): void {
    let rest = BigInt.asUintN(this.#width * 32, number);
    for (let at = row * this.#width; at < (row + 1) * this.#width; at++, rest >>= 32n) {
      this.#words[at] = Number(BigInt.asUintN(32, rest));
    }
  }
}

export class IntegerBuilder extends WordsBuilder {
  constructor(column: OutputColumn) {
    super(column, 2);
  }

  protected put(row: number, value: string | number | boolean): void {
    if (typeof value === 'boolean') throw misfit(this.column, value);
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      this.putNumber(row, value);
      return;
    }
    const scaled = toScaled(typeof value === 'number' ? plainDigits(value) : value, 0);
    if (BigInt.asIntN(64, scaled) !== scaled) throw misfit(this.column, value);
    this.putBig(row, scaled);
  }

  data(): Data {
    return makeData({ type: new Int64(), ...this.validity, data: this.wholes });
  }
}

export class TimestampBuilder extends WordsBuilder {
  #text: string | undefined;
  #instant = 0;

  constructor(column: OutputColumn) {
    super(column, 2);
  }

  protected put(row: number, value: string | number | boolean): void {
    // The hour of a batch stands in every row of it.
    if (value !== this.#text) {
      this.#instant = instantOf(this.column, value);
      this.#text = String(value);
    }
    this.putNumber(row, this.#instant);
  }

  data(): Data {
    return makeData({ type: new TimestampMillisecond('UTC'), ...this.validity, data: this.wholes });
  }
}

export class DecimalBuilder extends WordsBuilder {
  readonly #type = arrowType(this.column) as Decimal;
  readonly #limit = 10n ** BigInt(this.#type.precision);
  /** Undefined where a scaled value may have more digits than a double. */
  readonly #factor = this.#type.precision <= SAFE_DIGITS ? 10 ** this.#type.scale : undefined;
  readonly #safeLimit = Number(this.#limit);

  constructor(column: OutputColumn) {
    super(column, 4);
  }

  protected put(row: number, value: string | number | boolean): void {
    if (typeof value === 'boolean') throw misfit(this.column, value);
    if (typeof value === 'number' && this.#factor !== undefined) {
      const scaled = scaledExactly(value, this.#factor);
      if (scaled !== undefined && Math.abs(scaled) < this.#safeLimit) {
        this.putNumber(row, scaled);
        return;
      }
    }
    const scaled = toScaled(typeof value === 'number' ? plainDigits(value) : value, this.#type.scale);
    if (scaled >= this.#limit || -scaled >= this.#limit) throw misfit(this.column, value);
    this.putBig(row, scaled);
  }

  data(): Data {
    return makeData({ type: this.#type, ...this.validity, data: this.words });
  }
}

/**
 * A number times a power of ten as a whole number, where that is what its shortest text says: 0.29 × 100 is 29, though not in a double.
 * Undefined where there are more digits, or more than a double keeps.
 */
export function scaledExactly(number: number, factor: number): number | undefined {
  const scaled = Math.round(number * factor);
  return Math.abs(scaled) < 10 ** SAFE_DIGITS && scaled / factor === number ? scaled : undefined;
}

function instantOf(column: OutputColumn, value: string | number | boolean): number {
  const form = column.type === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/;
  const ms = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw misfit(column, value);
  return ms;
}
