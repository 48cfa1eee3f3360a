import { TextDecoder } from 'node:util';
import type { BytesDecoder, DecodedBlock, InvalidBytes } from './csv-dialect.ts';
import { REPLACEMENT } from './csv-dialect.ts';

const LF = 10;
const CR = 13;
/** Without a line end for so long, bytes are decoded as they stand. */
const LINE_BYTES = 16 * 1024 * 1024;
/** In a longer line, the place of bytes that are no text is that of the line. */
const CLOSE_LOOK_BYTES = 4_096;

/** Every other encoding, line by line: a line has as many ends in the file as in UTF-8, which is how its place is known. */
export class LineDecoder implements BytesDecoder {
  readonly #unit: 1 | 2;
  readonly #bigEndian: boolean;
  readonly #strict: TextDecoder;
  readonly #lenient: TextDecoder;
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #raw: number;
  #at = 0;

  constructor(label: string, skipped: number) {
    this.#unit = label.startsWith('utf-16') ? 2 : 1;
    this.#bigEndian = label === 'utf-16be';
    this.#strict = new TextDecoder(label, { fatal: true, ignoreBOM: true });
    this.#lenient = new TextDecoder(label, { ignoreBOM: true });
    this.#raw = skipped;
  }

  push(bytes: Buffer): DecodedBlock {
    this.#chunks.push(bytes);
    this.#held += bytes.length;
    // A line that grows over many chunks is not looked through again at each of them.
    if (this.#held < LINE_BYTES && !bytes.includes(LF) && !bytes.includes(CR)) return nothing;
    const whole = this.#taken();
    let end = this.#lastLineEnd(whole);
    if (end === 0 && whole.length >= LINE_BYTES) end = whole.length - (whole.length % 2);
    if (end < whole.length) this.#hold(whole.subarray(end));
    return this.#decoded(whole.subarray(0, end));
  }

  end(): DecodedBlock {
    return this.#decoded(this.#taken());
  }

  #taken(): Buffer {
    const whole = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    this.#held = 0;
    return whole;
  }

  #hold(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#held = bytes.length;
  }

  #decoded(bytes: Buffer): DecodedBlock {
    if (bytes.length === 0) return nothing;
    const starts = this.#lineStarts(bytes);
    const marks: { at: number; raw: number }[] = [];
    const invalid: InvalidBytes[] = [];
    let text: Buffer;
    try {
      text = Buffer.from(this.#strict.decode(bytes));
    } catch {
      const lines: Buffer[] = [];
      let at = this.#at;
      for (const [n, start] of starts.entries()) {
        const line = bytes.subarray(start, starts[n + 1]);
        const decoded = Buffer.from(this.#lenient.decode(line));
        if (!this.#isText(line)) {
          const bad = this.#firstBad(line);
          const found = line.subarray(bad, bad + this.#unit);
          invalid.push({
            at: at + Math.max(0, decoded.indexOf(REPLACEMENT)),
            raw: this.#raw + start + bad,
            bytes: found,
          });
        }
        at += decoded.length;
        lines.push(decoded);
      }
      text = Buffer.concat(lines);
    }
    let at = 0;
    for (const start of starts) {
      marks.push({ at: this.#at + at, raw: this.#raw + start });
      at = nextLine(text, at);
    }
    this.#at += text.length;
    this.#raw += bytes.length;
    return { bytes: text, marks, invalid };
  }

  #isText(line: Buffer): boolean {
    try {
      this.#strict.decode(line);
      return true;
    } catch {
      return false;
    }
  }

  /** Where the first bytes of a line stand that are no text; of a very long line, where it begins. */
  #firstBad(line: Buffer): number {
    let bad = 0;
    if (line.length > CLOSE_LOOK_BYTES) return bad;
    // The longest beginning that is text ends where they stand.
    for (let length = this.#unit; length <= line.length; length += this.#unit) {
      if (this.#isText(line.subarray(0, length))) bad = length;
    }
    return bad;
  }

  /** Where lines begin in a block that begins with one. */
  #lineStarts(bytes: Buffer): number[] {
    const starts = [0];
    for (let at = this.#nextLine(bytes, 0); at < bytes.length; at = this.#nextLine(bytes, at)) starts.push(at);
    return starts;
  }

  #nextLine(bytes: Buffer, from: number): number {
    if (this.#unit === 1) return nextLine(bytes, from);
    for (let at = from; at + 1 < bytes.length; at += 2) {
      const unit = this.#unitAt(bytes, at);
      if (unit === LF) return at + 2;
      if (unit === CR) return at + (at + 3 < bytes.length && this.#unitAt(bytes, at + 2) === LF ? 4 : 2);
    }
    return bytes.length;
  }

  #unitAt(bytes: Buffer, at: number): number {
    return this.#bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
  }

  /** Where the last line end that is surely whole stops; 0 where there is none. */
  #lastLineEnd(bytes: Buffer): number {
    const whole = bytes.length - (bytes.length % this.#unit);
    for (let at = whole - this.#unit; at >= 0; at -= this.#unit) {
      const unit = this.#unit === 1 ? (bytes[at] as number) : this.#unitAt(bytes, at);
      if (unit === LF) return at + this.#unit;
      // A CR at the very end may be half of a CRLF.
      if (unit === CR && at + this.#unit < whole) return at + this.#unit;
    }
    return 0;
  }
}

const nothing: DecodedBlock = { bytes: Buffer.alloc(0), marks: [], invalid: [] };

function nextLine(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === LF) return at + 1;
    if (byte === CR) return bytes[at + 1] === LF ? at + 2 : at + 1;
  }
  return bytes.length;
}
