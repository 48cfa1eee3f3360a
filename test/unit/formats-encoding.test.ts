import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodings } from '../../src/definition/format.ts';
import { bytesDecoder } from '../../src/formats/text-decoder.ts';
import { csvLine } from '../../src/formats/csv-writer.ts';
import { fieldsOf, isFault, readCsv } from '../helpers/csv.ts';

const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16();

/** Writes what a decoder of one byte a character reads: its table, turned round. */
function encoder(label: string): (text: string) => Buffer {
  const decoder = new TextDecoder(label);
  const table = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Buffer.from([byte])), byte]));
  return (text) => Buffer.from(Array.from(text, (character) => table.get(character) ?? 0x3f));
}

const oneByte = encodings.filter((name) => !/utf|gb|big5|shift|euc/.test(name));
const rowsOf = (letters: readonly string[]) =>
  fc.array(
    fc.array(fc.string({ unit: fc.constantFrom(...letters, 'a', ',', '"', '\n', '\r\n') }), {
      minLength: 2,
      maxLength: 2,
    }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );

/** Every record stands where the place says: decoded from there, it is the record again. */
function placesHold(bytes: Buffer, found: ReturnType<typeof readCsv>, encoding: string): boolean {
  return found.every((item, at) => {
    const own = bytes.subarray(item.offset, found[at + 1]?.offset);
    const [again] = fieldsOf(readCsv(own, { encoding, fixed: false }));
    return isFault(item) || JSON.stringify(again) === JSON.stringify(item.fields);
  });
}

describe('encodings', () => {
  test.each(oneByte)('%s comes back as it went, and each record knows its byte', (encoding) => {
    const label = encoding === 'latin1' ? 'windows-1252' : encoding;
    const high = Array.from({ length: 96 }, (_, n) => new TextDecoder(label).decode(Buffer.from([160 + n]))).filter(
      (letter) => letter !== '\uFFFD' && letter !== '\u00a0',
    );
    const encode = encoder(label);
    fc.assert(
      fc.property(rowsOf(high), fc.integer({ min: 1, max: 50 }), (rows, size) => {
        const bytes = encode(rows.map(csvLine).join('\n'));
        const found = readCsv(bytes, { encoding, size });
        expect(fieldsOf(found)).toEqual(rows);
        expect(placesHold(bytes, found, encoding)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['utf-16le', (text: string) => Buffer.from(text, 'utf16le')],
    ['utf-16be', swapped],
  ] as const)('%s, with and without a byte order mark', (encoding, encode) => {
    fc.assert(
      fc.property(rowsOf(['é', '🙂', '漢']), fc.integer({ min: 1, max: 50 }), fc.boolean(), (rows, size, bom) => {
        const text = rows.map(csvLine).join('\r\n');
        const bytes = encode(bom ? `\uFEFF${text}` : text);
        const found = readCsv(bytes, { ...(bom ? {} : { encoding }), size });
        expect(fieldsOf(found)).toEqual(rows);
        expect(bom ? found[0]?.offset === 2 : placesHold(bytes, found, encoding)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('encodings of several bytes, whose second bytes may look like delimiters', () => {
    // 0x5C and 0x7C as second bytes of Shift_JIS.
    const bytes = Buffer.concat([
      Buffer.from('a|b\n'),
      Buffer.from([0x95, 0x5c, 0x7c, 0x83, 0x7c, 10]),
      Buffer.from('1|2\n'),
    ]);
    const found = readCsv(bytes, { encoding: 'shift_jis', delimiter: '|', size: 3 });
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['表', 'ポ'],
      ['1', '2'],
    ]);
    expect(found[2]?.offset).toBe(10);
    expect(fieldsOf(readCsv(Buffer.from([0xc4, 0xe3, 0x2c, 0x62]), { encoding: 'gb18030' }))).toEqual([['你', 'b']]);
  });

  test('bytes that are no UTF-8 are told by place, and cost one record or are replaced', () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\né,1\n'),
      Buffer.from([0x78, 0xf0, 0x9f, 0x98, 0x2c, 0x32, 10]),
      Buffer.from('ü,\uFFFD\n'),
    ]);
    for (const size of [1, 2, 5, 100]) {
      expect(fieldsOf(readCsv(bytes, { size }))).toEqual([
        ['a', 'b'],
        ['é', '1'],
        ['FAULT the bytes f09f98 at byte 10 are no text'],
        ['ü', '\uFFFD'],
      ]);
      const replaced = readCsv(bytes, { size, invalidBytes: 'replace' });
      expect(fieldsOf(replaced)).toEqual([
        ['a', 'b'],
        ['é', '1'],
        ['x\uFFFD', '2'],
        ['ü', '\uFFFD'],
      ]);
      expect(replaced.map(({ offset }) => offset)).toEqual([0, 4, 9, 16]);
    }
  });

  test('any bytes decode as the platform decodes them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (bytes, size) => {
        const whole = Buffer.from(bytes);
        const decoder = bytesDecoder('utf-8', 0);
        const blocks = [];
        for (let at = 0; at < whole.length; at += size) blocks.push(decoder.push(whole.subarray(at, at + size)));
        blocks.push(decoder.end());
        const text = Buffer.concat(blocks.map((block) => block.bytes)).toString();
        expect(text).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole));
        for (const { raw, bytes: bad } of blocks.flatMap(({ invalid }) => invalid)) {
          expect(whole.subarray(raw, raw + bad.length)).toEqual(bad);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a lone surrogate and an odd byte in UTF-16 are faults of their record', () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\n', 'utf16le'),
      Buffer.from([0x3d, 0xd8]),
      Buffer.from(',1\n2,3\n4', 'utf16le'),
      Buffer.from([0x2c]),
    ]);
    const found = readCsv(bytes, { encoding: 'utf-16le' });
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['FAULT the bytes 3dd8 at byte 8 are no text'],
      ['2', '3'],
      ['FAULT the bytes 2c at byte 26 are no text'],
    ]);
  });

  test('one that is not known is refused', () => {
    expect(() => bytesDecoder('utf-7', 0)).toThrow(/"utf-7" is no encoding/);
  });
});
