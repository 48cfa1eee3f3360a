import type { CsvDialect, FaultKind } from './csv-dialect.ts';
import type { TextColumns } from './text-columns.ts';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
/** No field needs more memory than this. */
const FIELD_BYTES = 16 * 1024 * 1024;

/** What a record ends in, where it does not end in a position: its end is not in the buffer, or its quotes are broken. */
export const MORE = -1;
export const FAULT = -2;

/** Reads one record from a buffer of UTF-8: where its fields are, and what is wrong with its quotes. */
export class CsvRecord {
  /** Of the last record: lines, fields, and where it stops, its line end not counted; the reason of the last fault. */
  lines = 0;
  fields = 0;
  end = 0;
  reason = '';
  kind: FaultKind = 'quotes';
  readonly #delimiter: Buffer;
  readonly #quote: number;
  readonly #escape: number;
  readonly #trim: boolean;
  readonly #fieldLength: number;
  #buffer: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @param fieldLength UTF-16 units of one field, at most. */
  constructor({ delimiter, quote, escape, spaces }: CsvDialect, fieldLength: number) {
    this.#delimiter = Buffer.from(delimiter);
    this.#quote = quote === '' ? -1 : quote.charCodeAt(0);
    this.#escape = escape === '' || escape === quote ? -1 : escape.charCodeAt(0);
    this.#trim = spaces === 'trim';
    this.#fieldLength = fieldLength;
  }

  /**
   * Writes the record at `start` to the columns.
   * @returns where the next one starts; or {@link MORE}, or {@link FAULT} with its reason
   */
  read(buffer: Buffer, start: number, ended: boolean, columns: TextColumns): number {
    this.#buffer = buffer;
    this.#ended = ended;
    const length = buffer.length;
    const delimiter = this.#delimiter[0] as number;
    const single = this.#delimiter.length === 1;
    const quote = this.#quote;
    const escape = this.#escape;
    const trim = this.#trim;
    let field = 0;
    let at = start;
    this.lines = 1;
    for (;;) {
      let from = at;
      if (trim) while (at < length && this.#isSpace(at)) at++;
      if (at < length && buffer[at] === quote) {
        at = this.#quoted(at, field, columns);
        if (at < 0) return at;
        if (trim) while (at < length && this.#isSpace(at)) at++;
        if (at >= length && !this.#ended) return MORE;
        const next = buffer[at];
        const ends = at >= length || next === LF || next === CR;
        if (!ends && !(next === delimiter && (single || this.#delimits(at)))) {
          if (!single && !this.#ended && length - at < this.#delimiter.length) return MORE;
          return this.#faulty('text stands behind a closing quote');
        }
      } else {
        if (trim) from = at;
        let escaped = false;
        for (; at < length; at++) {
          const byte = buffer[at] as number;
          if (byte === delimiter) {
            if (single || this.#delimits(at)) break;
          } else if (byte === LF || byte === CR) break;
          else if (byte === escape) {
            if (at + 1 >= length) {
              if (!this.#ended) return MORE;
              continue;
            }
            columns.write(field, buffer, from, this.#escapes(at + 1) ? at : at + 1);
            escaped = true;
            from = ++at;
          }
        }
        if (at >= length && !this.#ended) return MORE;
        if (at - from > this.#fieldLength && this.#tooLong(from, at))
          return this.#faulty('a field is too long', 'length');
        let to = at;
        if (trim && !escaped) while (to > from && this.#isSpace(to - 1)) to--;
        columns.write(field, buffer, from, to);
        columns.close(field, false);
      }
      field++;
      if (at < length && buffer[at] !== LF && buffer[at] !== CR) {
        at += this.#delimiter.length;
        if (at >= length && !this.#ended) return MORE;
        continue;
      }
      // Whether a CR at the very end is half of a CRLF is not known yet.
      if (at === length - 1 && buffer[at] === CR && !this.#ended) return MORE;
      this.fields = field;
      this.end = at;
      return at >= length ? length : at + (buffer[at] === CR && buffer[at + 1] === LF ? 2 : 1);
    }
  }

  /** A field in quotes from `open`. @returns the position behind its closing quote, {@link MORE} or {@link FAULT} */
  #quoted(open: number, field: number, columns: TextColumns): number {
    const buffer = this.#buffer;
    const length = buffer.length;
    const quote = this.#quote;
    const escape = this.#escape;
    // A character has four bytes at most, so a field of more than this is surely too long.
    const limit = open + 1 + Math.min(this.#fieldLength, FIELD_BYTES) * 4;
    let from = open + 1;
    for (let at = from; ; at++) {
      if (at >= length) return this.#ended ? this.#faulty('a quote is not closed') : MORE;
      if (at > limit) return this.#faulty('a field is too long, or a quote is not closed', 'length');
      const byte = buffer[at] as number;
      if (byte === quote) {
        if (at + 1 >= length && !this.#ended) return MORE;
        if (buffer[at + 1] === quote) {
          columns.write(field, buffer, from, at + 1);
          from = at + 2;
          at++;
          continue;
        }
        if (at - open > this.#fieldLength && this.#tooLong(open + 1, at)) {
          return this.#faulty('a field is too long, or a quote is not closed', 'length');
        }
        columns.write(field, buffer, from, at);
        columns.close(field, true);
        return at + 1;
      }
      if (byte === LF || (byte === CR && buffer[at + 1] !== LF)) this.lines++;
      else if (byte === escape) {
        if (at + 1 >= length) continue;
        columns.write(field, buffer, from, this.#escapes(at + 1) ? at : at + 1);
        from = ++at;
        if (buffer[at] === LF || (buffer[at] === CR && buffer[at + 1] !== LF)) this.lines++;
      }
    }
  }

  /** Whether an escape takes the meaning off this byte; before others it stands for itself. */
  #escapes(at: number): boolean {
    const byte = this.#buffer[at];
    return byte === this.#quote || byte === this.#escape || byte === this.#delimiter[0] || byte === LF || byte === CR;
  }

  #delimits(at: number): boolean {
    const delimiter = this.#delimiter;
    for (let next = 1; next < delimiter.length; next++) if (this.#buffer[at + next] !== delimiter[next]) return false;
    return true;
  }

  #isSpace(at: number): boolean {
    const byte = this.#buffer[at];
    return (byte === SPACE || byte === TAB) && byte !== this.#delimiter[0];
  }

  #tooLong(from: number, to: number): boolean {
    return this.#buffer.toString('utf8', from, to).length > this.#fieldLength;
  }

  #faulty(reason: string, kind: FaultKind = 'quotes'): typeof FAULT {
    this.kind = kind;
    this.reason = reason;
    return FAULT;
  }
}
