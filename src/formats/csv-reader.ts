import { isUtf8 } from 'node:buffer';

/** One record of a CSV file, and where it stands. */
export interface CsvRecord {
  readonly kind: 'record';
  readonly fields: readonly string[];
  /** Which fields stood in quotes; absent where none did. Tells `""` from nothing. */
  readonly quoted?: readonly boolean[];
  /** 1-based line of the record's first character. */
  readonly line: number;
  /** Bytes before the record in the file; a byte order mark counts. */
  readonly offset: number;
}

/** A line that is no record. Reading goes on with the line after it. */
export interface CsvFault {
  readonly kind: 'fault';
  /** A few words: `a quote is not closed`. */
  readonly reason: string;
  /** The line as it stands, cut after {@link FAULT_RAW_BYTES}; bytes that are not UTF-8 as U+FFFD. */
  readonly raw: string;
  readonly line: number;
  readonly offset: number;
}

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  /** UTF-16 units of one field. */
  readonly fieldLength: number;
}

/** How much of a broken line is kept. */
export const FAULT_RAW_BYTES = 8_192;
/** A record never needs more memory than this. */
const RECORD_BYTES = 16 * 1024 * 1024;

const LF = 10;
const CR = 13;

/**
 * Reads CSV (RFC 4180) from bytes as they come, and says where each record stands.
 *
 * LF, CRLF and CR end a line; quotes double within quotes; a line without a character is no record. A byte order mark at
 * the start is dropped. What is no record (a quote within a bare field, text behind a closing quote, a quote that is
 * never closed, a field that is too long, bytes that are not UTF-8, NUL) is a fault of *one line*: reading goes on with
 * the next one, so that one stray quote does not swallow the rows behind it. The first record says how many fields each
 * one has; a record with more or fewer is a fault too.
 *
 * Memory: what was pushed and not yet read, 16 MiB for the longest record.
 */
export class CsvReader {
  readonly #dialect: CsvDialect;
  readonly #quote: Buffer;
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the file before the buffer. */
  #before = 0;
  #position = 0;
  #line = 1;
  #ended = false;
  #started = false;
  /** Fields of the first record. */
  #width: number | undefined;
  /** The rest of a line that was too long is thrown away as it comes. */
  #discarding = false;
  /** The last search for a CR and for a quote: where it began, and what it found (the buffer's length for nothing). */
  #cr = { from: 0, at: -1 };
  #quoteMark = { from: 0, at: -1 };

  constructor(dialect: CsvDialect) {
    this.#dialect = dialect;
    this.#quote = Buffer.from(dialect.quote);
  }

  /** Adds bytes and gives what can be read now. */
  push(chunk: Buffer): (CsvRecord | CsvFault)[] {
    const rest = this.#buffer.subarray(this.#position);
    this.#buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#before += this.#position;
    this.#position = 0;
    this.#cr = { from: 0, at: -1 };
    this.#quoteMark = { from: 0, at: -1 };
    return this.#read();
  }

  /** Says that no more bytes come, and gives what is left. */
  end(): (CsvRecord | CsvFault)[] {
    this.#ended = true;
    return this.#read();
  }

  #read(): (CsvRecord | CsvFault)[] {
    const found: (CsvRecord | CsvFault)[] = [];
    if (!this.#started) {
      if (this.#buffer.length < 3 && !this.#ended) return found;
      this.#started = true;
      if (this.#buffer.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) this.#position = 3;
    }
    for (;;) {
      const next = this.#next();
      if (next === 'more') return found;
      if (next !== 'blank') found.push(next);
    }
  }

  #next(): CsvRecord | CsvFault | 'blank' | 'more' {
    const start = this.#position;
    if (start >= this.#buffer.length) return 'more';
    const end = this.#lineEnd(start);
    if (this.#discarding) {
      if (end === -1) {
        this.#position = this.#buffer.length;
      } else {
        this.#discarding = false;
        this.#passLine(end);
      }
      return 'blank';
    }
    if (end === -1) {
      if (this.#buffer.length - start <= RECORD_BYTES) return 'more';
      const fault = this.#fault('the line is too long', start, this.#buffer.length);
      this.#position = this.#buffer.length;
      this.#discarding = true;
      return fault;
    }
    if (end === start) {
      this.#passLine(end);
      return 'blank';
    }
    const line = this.#line;
    const offset = this.#before + start;
    if (this.#quoteFrom(start) >= end) {
      const fault = this.#faultOfBytes(start, end);
      if (fault !== undefined) return this.#faultLine(fault, start, end);
      const fields = this.#buffer.toString('utf8', start, end).split(this.#dialect.delimiter);
      if (end - start > this.#dialect.fieldLength && fields.some((field) => field.length > this.#dialect.fieldLength)) {
        return this.#faultLine('a field is too long', start, end);
      }
      if (!this.#fits(fields)) return this.#faultLine(this.#misfit(fields), start, end);
      this.#passLine(end);
      return { kind: 'record', fields, line, offset };
    }
    const quoted = this.#readQuoted(start, end);
    if (quoted === 'more') return 'more';
    if (typeof quoted === 'string') return this.#faultLine(quoted, start, end);
    const { fields } = quoted;
    const fault = this.#fits(fields) ? undefined : this.#fault(this.#misfit(fields), start, quoted.end);
    let inner = end;
    while (inner < quoted.end) {
      this.#line++;
      inner = this.#lineEnd(inner + this.#endLength(inner));
    }
    this.#passLine(quoted.end);
    return fault ?? { kind: 'record', fields, quoted: quoted.quoted, line, offset };
  }

  #fits(fields: readonly string[]): boolean {
    this.#width ??= fields.length;
    return fields.length === this.#width;
  }

  #misfit(fields: readonly string[]): string {
    return `the record has ${fields.length} fields and the header ${this.#width}`;
  }

  /** A record with quotes from `start`, whose first line ends at `firstEnd`; a reason where it is none. */
  #readQuoted(start: number, firstEnd: number): { fields: string[]; quoted: boolean[]; end: number } | string {
    const { delimiter, quote, fieldLength } = this.#dialect;
    const fields: string[] = [];
    const quoted: boolean[] = [];
    let end = firstEnd;
    let text = this.#buffer.toString('utf8', start, end);
    let at = 0;
    for (;;) {
      if (text.startsWith(quote, at)) {
        let field = '';
        let from = at + 1;
        for (;;) {
          const close = text.indexOf(quote, from);
          if (close === -1) {
            const further = this.#furtherLine(end);
            if (further === -1) {
              if (!this.#ended && this.#buffer.length - start <= RECORD_BYTES) return 'more';
              return 'a quote is not closed';
            }
            if (field.length + text.length - from > fieldLength) return 'a field is too long, or a quote is not closed';
            text += this.#buffer.toString('utf8', end, further);
            end = further;
            continue;
          }
          field += text.slice(from, close);
          from = close + 1;
          if (!text.startsWith(quote, from)) break;
          field += quote;
          from++;
        }
        if (field.length > fieldLength) return 'a field is too long, or a quote is not closed';
        fields.push(field);
        quoted.push(true);
        at = from;
        if (at < text.length && !text.startsWith(delimiter, at)) return 'text stands behind a closing quote';
      } else {
        const next = text.indexOf(delimiter, at);
        const stop = next === -1 ? text.length : next;
        const field = text.slice(at, stop);
        if (field.includes(quote)) return 'a quote stands within a field that is not quoted';
        if (field.length > fieldLength) return 'a field is too long';
        fields.push(field);
        quoted.push(false);
        at = stop;
      }
      if (at >= text.length) break;
      at++;
    }
    const fault = this.#faultOfBytes(start, end);
    return fault ?? { fields, quoted, end };
  }

  /** The end of the line in which an open quote that runs past `end` may close; -1 where it is not in the buffer. */
  #furtherLine(end: number): number {
    const quote = this.#quoteFrom(end);
    return quote >= this.#buffer.length ? -1 : this.#lineEnd(quote);
  }

  /** Where the line that `from` stands in ends; -1 where that is not in the buffer yet. */
  #lineEnd(from: number): number {
    const lf = this.#buffer.indexOf(LF, from);
    if (from < this.#cr.from || from > this.#cr.at) this.#cr = { from, at: this.#find(CR, from) };
    const end = lf === -1 ? this.#cr.at : Math.min(lf, this.#cr.at);
    if (end >= this.#buffer.length) return this.#ended ? this.#buffer.length : -1;
    // Whether a CR at the very end is half of a CRLF is not known yet.
    if (end === this.#buffer.length - 1 && this.#buffer[end] === CR && !this.#ended) return -1;
    return end;
  }

  #quoteFrom(from: number): number {
    if (from < this.#quoteMark.from || from > this.#quoteMark.at) {
      this.#quoteMark = { from, at: this.#find(this.#quote, from) };
    }
    return this.#quoteMark.at;
  }

  #find(what: number | Buffer, from: number): number {
    const found = this.#buffer.indexOf(what, from);
    return found === -1 ? this.#buffer.length : found;
  }

  #endLength(end: number): number {
    return this.#buffer[end] === CR && this.#buffer[end + 1] === LF ? 2 : 1;
  }

  #passLine(end: number): void {
    this.#position = Math.min(end + this.#endLength(end), this.#buffer.length);
    this.#line++;
  }

  #faultOfBytes(start: number, end: number): string | undefined {
    const bytes = this.#buffer.subarray(start, end);
    if (!isUtf8(bytes)) return 'the line is not UTF-8';
    return bytes.includes(0) ? 'the line holds a NUL byte' : undefined;
  }

  #faultLine(reason: string, start: number, end: number): CsvFault {
    const fault = this.#fault(reason, start, end);
    this.#passLine(end);
    return fault;
  }

  #fault(reason: string, start: number, end: number): CsvFault {
    const raw = this.#buffer.toString('utf8', start, Math.min(end, start + FAULT_RAW_BYTES));
    return { kind: 'fault', reason, raw, line: this.#line, offset: this.#before + start };
  }
}
