import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvLine } from '../../src/formats/csv-writer.ts';
import { fieldsOf, isFault, readCsv, type ReadOptions } from '../helpers/csv.ts';

const cell = fc.string({ unit: fc.constantFrom('a', '7', ' ', 'é', '🙂', ',', '"', '\n', '\r', '\r\n', '#') });
const eol = fc.constantFrom('\n', '\r\n', '\r');
const quoteAlways = (value: string) => `"${value.replaceAll('"', '""')}"`;
const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.record({
    // A lone empty field would be a line without a character.
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
    always: fc.boolean(),
    eol,
    last: fc.boolean(),
    size: fc.integer({ min: 1, max: 40 }),
  }),
);

describe('CsvParser', () => {
  test('reads what csv-parse reads, in chunks of any size, and knows where each record stands', () => {
    fc.assert(
      fc.property(table, ({ rows, always, eol, last, size }) => {
        const lines = rows.map((row) => (always ? row.map(quoteAlways).join(',') : csvLine(row)));
        const text = lines.join(eol) + (last ? eol : '');
        const found = readCsv(text, { size });
        expect(fieldsOf(found)).toEqual(rows);
        expect(parse(text, { record_delimiter: ['\r\n', '\n', '\r'] })).toEqual(rows);
        const bytes = Buffer.from(text);
        for (const [at, item] of found.entries()) {
          const line = lines[at] ?? '';
          expect(bytes.subarray(item.offset).toString().startsWith(line)).toBe(true);
          const before = bytes.subarray(0, item.offset).toString();
          expect(item.line).toBe(before.split(/\r\n|\n|\r/).length);
          expect(item.row).toBe(at + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('never loses a line of anything: every byte is in a record, a fault, or a blank line', () => {
    const dirty = fc.string({ unit: fc.constantFrom('a', 'b', ',', ',', '"', '\n', '\n', '\r\n', 'é') });
    fc.assert(
      fc.property(dirty, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const found = readCsv(text, { size });
        expect(found).toEqual(readCsv(text));
        const bytes = Buffer.from(text);
        const starts = [...found.map(({ offset }) => offset), bytes.length];
        expect(bytes.subarray(0, starts[0]).toString().trim()).toBe('');
        for (const [at, item] of found.entries()) {
          const own = bytes.subarray(item.offset, starts[at + 1]).toString();
          const again = isFault(item) ? own.replace(/[\r\n]+$/, '') : fieldsOf(readCsv(own));
          expect(again).toEqual(isFault(item) ? item.raw : [item.fields]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('tells an empty text in quotes from nothing', () => {
    expect(readCsv('a,b\n"",\n').at(1)).toMatchObject({ fields: ['', ''], blank: [false, true] });
  });

  test('counts a byte order mark in the place of what follows', () => {
    expect(readCsv('\uFEFFa,b\n1,2', { size: 1 }).map(({ offset, line }) => [offset, line])).toEqual([
      [3, 1],
      [7, 2],
    ]);
    expect(fieldsOf(readCsv('\uFEFF"a",b\n'))).toEqual([['a', 'b']]);
    // In the middle of a file it is a character like others.
    expect(fieldsOf(readCsv('a\n\uFEFFb\n'))).toEqual([['a'], ['\uFEFFb']]);
  });

  test('a stray quote costs one line, not the rows behind it', () => {
    const found = readCsv('a,b\n1,"open\n2,x\n3,"y"z\n4,q"r\n5,ok\n6,"also\nok"\n');
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['FAULT text stands behind a closing quote'],
      ['2', 'x'],
      ['FAULT text stands behind a closing quote'],
      ['4', 'q"r'],
      ['5', 'ok'],
      ['6', 'also\nok'],
    ]);
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(fieldsOf(readCsv('a\n"never\nends'))).toEqual([['a'], ['FAULT a quote is not closed'], ['ends']]);
  });

  test('too few and too many fields, bad bytes and NUL are faults of one record', () => {
    const found = readCsv(
      Buffer.concat([Buffer.from('a,b\n1\n1,2,3\n'), Buffer.from([0xe9, 0x2c, 0x31, 10]), Buffer.from('\0,1\n1,2\n')]),
    );
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['FAULT the record has 1 field and the header 2'],
      ['FAULT the record has 3 fields and the header 2'],
      ['FAULT the bytes e9 at byte 12 are no text'],
      ['FAULT the record holds a NUL byte'],
      ['1', '2'],
    ]);
    expect(found.at(-1)).toMatchObject({ row: 6, line: 6, offset: 20 });
  });

  test('fields and records that are too long do not take memory', () => {
    const long = `a\n${'x'.repeat(1_001)}\n"${'y'.repeat(1_001)}"\n"${'z\n'.repeat(600)}"\nok`;
    expect(fieldsOf(readCsv(long, { fieldLength: 1_000 })).slice(0, 4)).toEqual([
      ['a'],
      ['FAULT a field is too long'],
      ['FAULT a field is too long, or a quote is not closed'],
      ['FAULT a field is too long, or a quote is not closed'],
    ]);
    // The limit counts characters, not bytes.
    expect(fieldsOf(readCsv(`a\n${'é'.repeat(1_000)}\n"${'é'.repeat(1_000)}"`, { fieldLength: 1_000 }))).toHaveLength(
      3,
    );
    const huge = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(40_000_000, 'x'), Buffer.from('\r\nok\n')]);
    for (const size of [1_000_000, 39_999_999]) {
      const found = readCsv(huge, { size });
      expect(fieldsOf(found)).toEqual([['a'], ['FAULT the record is longer than 16 MiB'], ['ok']]);
      expect(found[1]).toMatchObject({ line: 2, raw: 'x'.repeat(8_192) });
      expect(found[2]).toMatchObject({ line: 3, offset: 40_000_004 });
    }
  });

  test('a CR at the end of a chunk, within a record that is too long, ends its line once', () => {
    const huge = Buffer.concat([Buffer.from('a\n'), Buffer.alloc(17_000_000, 'x'), Buffer.from('\rok\r\nok\n')]);
    for (const size of [17_000_003, 17_000_002, 8_500_001]) {
      expect(fieldsOf(readCsv(huge, { size })).slice(2)).toEqual([['ok'], ['ok']]);
    }
  });

  test.each<[string, string, ReadOptions, string[][]]>([
    [
      'semicolons and single quotes',
      "a;b\n'x;''y';é\n",
      { delimiter: ';', quote: "'" },
      [
        ['a', 'b'],
        ["x;'y", 'é'],
      ],
    ],
    [
      'a delimiter of two bytes',
      'a§b\n1§2\n',
      { delimiter: '§' },
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a delimiter of two characters',
      'a||b|c\n"x||y"||2\n',
      { delimiter: '||' },
      [
        ['a', 'b|c'],
        ['x||y', '2'],
      ],
    ],
    [
      'a delimiter at the very end',
      'a||b\n1||',
      { delimiter: '||' },
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    [
      'no quotes',
      'a,b\n"x,5" tall\n',
      { quote: '', escape: '' },
      [
        ['a', 'b'],
        ['"x', '5" tall'],
      ],
    ],
    [
      'a backslash as escape',
      'a,b\n"x\\"y\\\\","z\\n"\nu\\,v,w\\\n\n',
      { escape: '\\' },
      [
        ['a', 'b'],
        ['x"y\\', 'z\\n'],
        ['u,v', 'w\n'],
      ],
    ],
    [
      'comments',
      '#one\na,b\n# two\n1,#2\n',
      { comment: '#' },
      [
        ['a', 'b'],
        ['1', '#2'],
      ],
    ],
    [
      'comments of two characters',
      '//one\na/b\n//two\n/1\n',
      { comment: '//', delimiter: '/' },
      [
        ['a', 'b'],
        ['', '1'],
      ],
    ],
    [
      'spaces around values',
      'a , b\n "x, y" ,\t2 \n',
      { spaces: 'trim' },
      [
        ['a', 'b'],
        ['x, y', '2'],
      ],
    ],
    [
      'spaces kept',
      'a , b\n1, 2\n',
      {},
      [
        ['a ', ' b'],
        ['1', ' 2'],
      ],
    ],
    [
      'tabs that are delimiters are no spaces',
      'a\tb\n\t2\n',
      { delimiter: '\t', spaces: 'trim' },
      [
        ['a', 'b'],
        ['', '2'],
      ],
    ],
    ['line ends of every kind, mixed', 'a\nb\r\nc\rd\n\r\n\re', {}, [['a'], ['b'], ['c'], ['d'], ['e']]],
    [
      'a header named __proto__',
      '__proto__,constructor\n1,2\n',
      {},
      [
        ['__proto__', 'constructor'],
        ['1', '2'],
      ],
    ],
  ])('%s', (_name, text, options, expected) => {
    for (const size of [1, 2, 3, 65_536]) expect(fieldsOf(readCsv(text, { ...options, size }))).toEqual(expected);
  });

  test('an escape within a file in chunks of any size', () => {
    const text = 'a,b\n"x\\"\r\ny",1\n"z\\\\",2\n';
    const whole = readCsv(text, { escape: '\\' });
    expect(fieldsOf(whole)).toEqual([
      ['a', 'b'],
      ['x"\r\ny', '1'],
      ['z\\', '2'],
    ]);
    for (let size = 1; size < text.length; size++) expect(readCsv(text, { escape: '\\', size })).toEqual(whole);
  });
});
