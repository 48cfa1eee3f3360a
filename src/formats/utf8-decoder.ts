import { isUtf8 } from 'node:buffer';
import type { BytesDecoder, DecodedBlock, InvalidBytes } from './csv-dialect.ts';
import { REPLACEMENT } from './csv-dialect.ts';

/** UTF-8 passes as it is; only a block with bad bytes is looked at closer. */
export class Utf8Decoder implements BytesDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #raw: number;
  #at = 0;
  #shifted: boolean;

  constructor(skipped: number) {
    this.#raw = skipped;
    this.#shifted = skipped > 0;
  }

  push(bytes: Buffer): DecodedBlock {
    const whole = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const cut = cutCharacter(whole);
    this.#rest = whole.subarray(whole.length - cut);
    return this.#decoded(whole.subarray(0, whole.length - cut));
  }

  end(): DecodedBlock {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return this.#decoded(rest);
  }

  #decoded(bytes: Buffer): DecodedBlock {
    const marks = this.#shifted ? [{ at: this.#at, raw: this.#raw }] : [];
    this.#shifted = false;
    const invalid: InvalidBytes[] = [];
    if (isUtf8(bytes)) {
      this.#at += bytes.length;
      this.#raw += bytes.length;
      return { bytes, marks, invalid };
    }
    const out: Buffer[] = [];
    for (let from = 0; from < bytes.length;) {
      const bad = firstInvalid(bytes, from);
      const good = bytes.subarray(from, bad);
      out.push(good);
      this.#at += good.length;
      this.#raw += good.length;
      if (bad >= bytes.length) break;
      const length = invalidLength(bytes, bad);
      invalid.push({ at: this.#at, raw: this.#raw, bytes: bytes.subarray(bad, bad + length) });
      out.push(REPLACEMENT);
      this.#at += REPLACEMENT.length;
      this.#raw += length;
      marks.push({ at: this.#at, raw: this.#raw });
      from = bad + length;
    }
    return { bytes: Buffer.concat(out), marks, invalid };
  }
}

/** Bytes at the end of a block that may be the beginning of a character. */
function cutCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < lengthOf(byte) ? back : 0;
  }
  return 0;
}

/** Bytes of the character that begins with this one; 1 where none does. */
function lengthOf(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

/** Where the first bytes stand that are no UTF-8; the length where there are none. */
function firstInvalid(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length;) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const length = invalidLength(bytes, at);
    if (length > 0) return at;
    at += lengthOf(lead);
  }
  return bytes.length;
}

/** How many bytes from here one U+FFFD stands for, as the WHATWG's decoder counts; 0 where a character stands here. */
function invalidLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  const length = lengthOf(lead);
  if (length === 1) return 1;
  for (let next = 1; next < length; next++) {
    const byte = bytes[at + next];
    let low = 0x80;
    let high = 0xbf;
    if (next === 1 && lead === 0xe0) low = 0xa0;
    if (next === 1 && lead === 0xed) high = 0x9f;
    if (next === 1 && lead === 0xf0) low = 0x90;
    if (next === 1 && lead === 0xf4) high = 0x8f;
    if (byte === undefined || byte < low || byte > high) return next;
  }
  return 0;
}
