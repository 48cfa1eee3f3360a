import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import type { Encoding } from '../definition/format.ts';
import { bomOf } from './text-decoder.ts';

/** What the first bytes of a file say of its encoding. */
export interface FoundEncoding {
  readonly encoding: Encoding;
  /** Bytes of the byte order mark. */
  readonly bom: number;
  /** False where it is a guess by the letters that come out: no byte of a file of one byte a character says so. */
  readonly sure: boolean;
}

/** Of a file without a mark, so large a part of one half of its bytes must be zero to be taken for UTF-16. */
const ZERO_SHARE = 0.3;

/**
 * Finds the encoding of a file on its first bytes: by its mark, by the zeros of UTF-16, by being valid UTF-8. What is
 * left has one byte a character, and which such encoding it is can only be guessed.
 * @param whole Whether `head` is all of the file, or its last character may be cut.
 */
export function sniffEncoding(head: Buffer, whole: boolean): FoundEncoding {
  const bom = bomOf(head);
  if (bom) return { encoding: bom.encoding as Encoding, bom: bom.bytes, sure: true };
  const wide = sixteenBits(head);
  if (wide) return { encoding: wide, bom: 0, sure: true };
  if (isUtf8(whole ? head : withoutCutCharacter(head))) return { encoding: 'utf-8', bom: 0, sure: true };
  const scores = (['windows-1252', 'macintosh', 'windows-1251', 'koi8-r'] as const).map(
    (encoding) => [encoding, likelihood(head, encoding)] as const,
  );
  const [best] = scores.toSorted((a, b) => b[1] - a[1]);
  // A file that is UTF-8 but for a few bytes is broken UTF-8, and not another encoding.
  if (mostlyUtf8(head)) return { encoding: 'utf-8', bom: 0, sure: false };
  return { encoding: best?.[0] ?? 'windows-1252', bom: 0, sure: false };
}

function sixteenBits(head: Buffer): Encoding | undefined {
  const zeros = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const half = head.length / 2;
  const [even = 0, odd = 0] = zeros.map((count) => count / half);
  if (odd >= ZERO_SHARE && even < odd / 20) return 'utf-16le';
  return even >= ZERO_SHARE && odd < even / 20 ? 'utf-16be' : undefined;
}

function withoutCutCharacter(head: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, head.length); back++) {
    const byte = head[head.length - back] ?? 0;
    if (byte < 0x80) return head;
    if (byte >= 0xc0) return head.subarray(0, head.length - back);
  }
  return head;
}

function mostlyUtf8(head: Buffer): boolean {
  const text = head.toString();
  const bad = text.split('\uFFFD').length - 1;
  let good = 0;
  for (const character of text) if (character > '\u007f' && character !== '\uFFFD') good++;
  return good > bad * 4;
}

/** How well the letters of an encoding fit their neighbours: letters beside letters count for it, others against it. */
function likelihood(head: Buffer, encoding: Encoding): number {
  const text = new TextDecoder(encoding).decode(head.subarray(0, 262_144));
  let score = 0;
  for (const { 0: character, index } of text.matchAll(/[^\0-\x7f]/gu)) {
    const before = text[index - 1] ?? ' ';
    const after = text[index + 1] ?? ' ';
    if (/\p{L}/u.test(character)) {
      const lower = character === character.toLowerCase();
      const beside = /\p{L}/u.test(before) || /\p{L}/u.test(after);
      // A capital within a word, or two alphabets in one, is what a wrong table makes.
      const oddCapital = !lower && /\p{Ll}/u.test(before);
      const latin = /\p{Script=Latin}/u.test(character);
      const mixed = [before, after].some((next) => /\p{L}/u.test(next) && /\p{Script=Latin}/u.test(next) !== latin);
      score += !beside ? -0.5 : oddCapital || mixed ? -2 : 1;
    } else if (/[\u0080-\u009f\uFFFD]/u.test(character)) score -= 3;
    else if (/[€–—‘’“”…•°§£©®«»½¼¾ºª±²³µ·\u00a0]/u.test(character)) score += 0.5;
    else score -= 1;
  }
  return score;
}
