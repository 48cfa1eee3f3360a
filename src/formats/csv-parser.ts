import type { CsvDialect, CsvFault, DecodedBlock, FaultKind, InvalidBytes } from './csv-dialect.ts';
import { FAULT_RAW_BYTES } from './csv-dialect.ts';
import { CsvRecord, FAULT, MORE } from './csv-record.ts';
import type { TextColumns } from './text-columns.ts';

export interface CsvParserOptions extends CsvDialect {
  /** UTF-16 units of one field, at most. */
  readonly fieldLength: number;
  /** What is done with a record that holds bytes which are no text: a fault, or U+FFFD in their place. */
  readonly invalidBytes: 'reject' | 'replace';
}

/** A record never needs more memory than this. */
const RECORD_BYTES = 16 * 1024 * 1024;

const NUL = 0;
const LF = 10;
const CR = 13;

/**
 * Divides text into records, and says where each one stands. It works on bytes of UTF-8 and writes them to columns.
 *
 * LF, CRLF and CR end a line, mixed as they come; quotes double within quotes; a line without a character is no record.
 * A quote within a bare field is a character like others. What is no record (text behind a closing quote, a quote that is
 * never closed, a field that is too long, bytes that are no text, NUL, too few or too many fields) is a fault. Where the quotes are broken it is one
 * of *one line*: reading goes on with the next one, so that a stray quote does not swallow the rows behind it.
 *
 * Memory: what was pushed and not yet read, 16 MiB for the longest record.
 */
export class CsvParser {
  /** Fields of a record; any number where it is undefined. */
  width: number | undefined;
  /** Records and faults so far. */
  rows = 0;
  /** Lines that were comments, or blank. */
  comments = 0;
  blank = 0;
  /** Bytes that were replaced by U+FFFD in records that were kept. */
  replaced = 0;
  readonly #record: CsvRecord;
  readonly #comment: Buffer;
  readonly #rejectInvalid: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The rest of a record that was not complete is looked at again once there is this much. */
  #enough = 0;
  #before = 0;
  #position = 0;
  #line = 1;
  #ended = false;
  #discarding = false;
  #hasNul = false;
  #marks: { readonly at: number; readonly raw: number }[] = [{ at: 0, raw: 0 }];
  #mark = 0;
  #invalid: InvalidBytes[] = [];

  constructor(options: CsvParserOptions) {
    this.#record = new CsvRecord(options, options.fieldLength);
    this.#comment = Buffer.from(options.comment);
    this.#rejectInvalid = options.invalidBytes === 'reject';
  }

  /** 1-based number of the line that is read next. */
  get line(): number {
    return this.#line;
  }

  push(block: DecodedBlock): void {
    if (block.bytes.length > 0) this.#waiting.push(block.bytes);
    this.#waitingBytes += block.bytes.length;
    for (const mark of block.marks) this.#marks.push(mark);
    for (const bad of block.invalid) this.#invalid.push(bad);
  }

  /** Says that no more bytes come. */
  end(): void {
    this.#ended = true;
  }

  /** Passes over so many lines, whatever they hold. @returns how many are still to go: push more, and ask again */
  skipLines(count: number): number {
    this.#gather(true);
    for (let left = count; ; left--) {
      if (left === 0 || this.#position >= this.#buffer.length) return left;
      const end = this.#lineEnd(this.#position);
      if (end === MORE) return left;
      this.#passLine(end);
    }
  }

  /**
   * Reads records into `columns` until they hold `rows`, or `bytes`, or what was pushed is used up.
   * @returns `full`, or `more` where the rest is no complete record yet
   */
  read(columns: TextColumns, rows: number, bytes: number, onFault: (fault: CsvFault) => void): 'full' | 'more' {
    if (!this.#gather(false)) return 'more';
    for (;;) {
      if (columns.rows >= rows || columns.bytes >= bytes) return 'full';
      const start = this.#position;
      if (start >= this.#buffer.length) return 'more';
      if (this.#discarding) {
        if (!this.#discard()) return 'more';
        continue;
      }
      if (this.#passOver(start)) continue;
      const next = this.#record.read(this.#buffer, start, this.#ended, columns);
      if (next >= 0) {
        const reason = this.#misfit(start, next);
        if (reason === undefined) {
          columns.commit(++this.rows, this.#line, this.#rawOffset(start), this.#record.fields, next - start);
        } else {
          columns.rollback();
          onFault(this.#fault(...reason, start, this.#record.end));
        }
        this.#line += this.#record.lines;
        this.#position = next;
        continue;
      }
      columns.rollback();
      if (next === FAULT) {
        const end = this.#lineEnd(start);
        if (end !== MORE) {
          onFault(this.#fault(this.#record.reason, this.#record.kind, start, end));
          this.#passLine(end);
          continue;
        }
      }
      if (this.#buffer.length - start <= RECORD_BYTES) {
        this.#enough = Math.max(1, (this.#buffer.length - start) * 1.5);
        return 'more';
      }
      const end = this.#lineEnd(start);
      onFault(
        this.#fault('the record is longer than 16 MiB', 'length', start, end === MORE ? this.#buffer.length : end),
      );
      if (end !== MORE) this.#passLine(end);
      else this.#discarding = true;
    }
  }

  /** Joins what was pushed to what is left. @returns whether there is enough to look at */
  #gather(always: boolean): boolean {
    const rest = this.#buffer.length - this.#position;
    if (this.#waiting.length === 0) return rest > 0 && (this.#ended || this.#enough === 0 || always);
    if (!always && !this.#ended && rest + this.#waitingBytes < this.#enough) return false;
    this.#before += this.#position;
    this.#buffer =
      rest === 0 && this.#waiting.length === 1
        ? (this.#waiting[0] as Buffer)
        : Buffer.concat([this.#buffer.subarray(this.#position), ...this.#waiting]);
    this.#position = 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#enough = 0;
    this.#hasNul = this.#buffer.includes(NUL);
    return true;
  }

  /** Blank lines and comments. */
  #passOver(start: number): boolean {
    const first = this.#buffer[start] as number;
    if (first === LF || first === CR) {
      const end = this.#lineEnd(start);
      if (end === MORE) return false;
      this.blank++;
      this.#passLine(end);
      return true;
    }
    const comment = this.#comment;
    if (comment.length === 0 || first !== comment[0]) return false;
    if (!this.#buffer.subarray(start, start + comment.length).equals(comment)) return false;
    const end = this.#lineEnd(start);
    if (end === MORE) return false;
    this.comments++;
    this.#passLine(end);
    return true;
  }

  /** Passes over the rest of a record that was too long. @returns whether its line ended */
  #discard(): boolean {
    const end = this.#lineEnd(this.#position);
    if (end === MORE) {
      const { length } = this.#buffer;
      this.#position = this.#buffer[length - 1] === CR ? length - 1 : length;
      return false;
    }
    this.#discarding = false;
    this.#passLine(end);
    return true;
  }

  /** What is wrong with a record whose quotes are right. */
  #misfit(start: number, next: number): [string, FaultKind] | undefined {
    const invalid = this.#invalidIn(start, next);
    if (invalid !== undefined && this.#rejectInvalid) return [invalid, 'bytes'];
    if (this.#hasNul && this.#buffer.subarray(start, next).includes(NUL)) return ['the record holds a NUL byte', 'nul'];
    if (this.width !== undefined && this.#record.fields !== this.width) {
      return [
        `the record has ${this.#record.fields} ${this.#record.fields === 1 ? 'field' : 'fields'} and the header ${this.width}`,
        'width',
      ];
    }
    return undefined;
  }

  #invalidIn(start: number, next: number): string | undefined {
    let reason: string | undefined;
    for (let [first] = this.#invalid; first !== undefined && first.at < this.#before + next; [first] = this.#invalid) {
      if (first.at >= this.#before + start) {
        reason ??= `the bytes ${first.bytes.toString('hex')} at byte ${first.raw} are no text`;
        if (!this.#rejectInvalid) this.replaced++;
      }
      this.#invalid.shift();
    }
    return reason;
  }

  /** Where a position stands in the file as it was. */
  #rawOffset(position: number): number {
    const at = this.#before + position;
    while ((this.#marks[this.#mark + 1]?.at ?? Infinity) <= at) this.#mark++;
    if (this.#mark > 4_096) {
      this.#marks = this.#marks.slice(this.#mark);
      this.#mark = 0;
    }
    const { at: from, raw } = this.#marks[this.#mark] ?? { at: 0, raw: 0 };
    return raw + at - from;
  }

  /** Where the line that `from` stands in ends; {@link MORE} where that is not in the buffer yet. */
  #lineEnd(from: number): number {
    const buffer = this.#buffer;
    for (let at = from; at < buffer.length; at++) {
      const byte = buffer[at];
      if (byte === LF) return at;
      if (byte === CR) return at === buffer.length - 1 && !this.#ended ? MORE : at;
    }
    return this.#ended ? buffer.length : MORE;
  }

  #endLength(end: number): number {
    return this.#buffer[end] === CR && this.#buffer[end + 1] === LF ? 2 : 1;
  }

  #passLine(end: number): void {
    this.#position = Math.min(end + this.#endLength(end), this.#buffer.length);
    this.#line++;
  }

  #fault(reason: string, kind: FaultKind, start: number, end: number): CsvFault {
    const raw = this.#buffer.toString('utf8', start, Math.min(end, start + FAULT_RAW_BYTES));
    return { row: ++this.rows, kind, reason, raw, line: this.#line, offset: this.#rawOffset(start) };
  }
}
