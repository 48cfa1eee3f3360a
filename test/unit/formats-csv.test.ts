import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvReader, type CsvFault, type CsvRecord } from '../../src/formats/csv-reader.ts';
import { csvLine } from '../../src/formats/csv-writer.ts';

const dialect = { delimiter: ',', quote: '"', fieldLength: 1_000 };

function read(text: string | Buffer, size = 65_536, options = dialect): (CsvRecord | CsvFault)[] {
  const bytes = Buffer.from(text);
  const reader = new CsvReader(options);
  const found: (CsvRecord | CsvFault)[] = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...reader.push(bytes.subarray(at, at + size)));
  return [...found, ...reader.end()];
}
const fieldsOf = (found: (CsvRecord | CsvFault)[]) =>
  found.map((item) => (item.kind === 'record' ? item.fields : [`FAULT ${item.reason}`]));

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

describe('CsvReader', () => {
  test('reads what csv-parse reads, in chunks of any size, and knows where each record stands', () => {
    fc.assert(
      fc.property(table, ({ rows, always, eol, last, size }) => {
        const lines = rows.map((row) => (always ? row.map(quoteAlways).join(',') : csvLine(row)));
        const text = lines.join(eol) + (last ? eol : '');
        const found = read(text, size);
        expect(fieldsOf(found)).toEqual(rows);
        expect(parse(text, { record_delimiter: ['\r\n', '\n', '\r'] })).toEqual(rows);
        const bytes = Buffer.from(text);
        for (const [at, item] of found.entries()) {
          expect(
            bytes
              .subarray(item.offset)
              .toString()
              .startsWith(lines[at] ?? ''),
          ).toBe(true);
          const before = bytes.subarray(0, item.offset).toString();
          expect(item.line).toBe(before.split(/\r\n|\n|\r/).length);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('never loses a line of anything: every byte is in a record, a fault, or a blank line', () => {
    const dirty = fc.string({ unit: fc.constantFrom('a', 'b', ',', ',', '"', '\n', '\n', '\r\n', 'é') });
    fc.assert(
      fc.property(dirty, fc.integer({ min: 1, max: 9 }), (text, size) => {
        const found = read(text, size);
        expect(found).toEqual(read(text));
        const bytes = Buffer.from(text);
        const starts = [...found.map(({ offset }) => offset), bytes.length];
        expect(bytes.subarray(0, starts[0]).toString().trim()).toBe('');
        for (const [at, item] of found.entries()) {
          const own = bytes.subarray(item.offset, starts[at + 1]).toString();
          const again = item.kind === 'fault' ? own.replace(/[\r\n]+$/, '') : fieldsOf(read(own));
          expect(again).toEqual(item.kind === 'fault' ? item.raw : [item.fields]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('tells an empty text in quotes from nothing', () => {
    expect(read('a,b\n"",\n').at(1)).toMatchObject({ fields: ['', ''], quoted: [true, false] });
  });

  test('drops a byte order mark, and counts it', () => {
    expect(read('\uFEFFa,b\n1,2', 1).map(({ offset, line }) => [offset, line])).toEqual([
      [3, 1],
      [7, 2],
    ]);
    expect(fieldsOf(read('\uFEFF"a",b\n'))).toEqual([['a', 'b']]);
  });

  test('a stray quote costs one line, not the rows behind it', () => {
    const found = read('a,b\n1,"open\n2,x\n3,"y"z\n4,q"r\n5,ok\n6,"also\nok"\n');
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['FAULT text stands behind a closing quote'],
      ['2', 'x'],
      ['FAULT text stands behind a closing quote'],
      ['FAULT a quote stands within a field that is not quoted'],
      ['5', 'ok'],
      ['6', 'also\nok'],
    ]);
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(fieldsOf(read('a\n"never\nends'))).toEqual([['a'], ['FAULT a quote is not closed'], ['ends']]);
  });

  test('too few and too many fields, bad bytes and NUL are faults of one line', () => {
    const found = read(
      Buffer.concat([Buffer.from('a,b\n1\n1,2,3\n'), Buffer.from([0xe9, 0x2c, 0x31, 10]), Buffer.from('\0,1\n1,2\n')]),
    );
    expect(fieldsOf(found)).toEqual([
      ['a', 'b'],
      ['FAULT the record has 1 fields and the header 2'],
      ['FAULT the record has 3 fields and the header 2'],
      ['FAULT the line is not UTF-8'],
      ['FAULT the line holds a NUL byte'],
      ['1', '2'],
    ]);
  });

  test('fields and lines that are too long do not take memory', () => {
    expect(
      fieldsOf(read(`a\n${'x'.repeat(1_001)}\n"${'y'.repeat(1_001)}"\n"${'z\n'.repeat(600)}"\nok`)).slice(0, 4),
    ).toEqual([
      ['a'],
      ['FAULT a field is too long'],
      ['FAULT a field is too long, or a quote is not closed'],
      ['FAULT a field is too long, or a quote is not closed'],
    ]);
    const huge = read(
      Buffer.concat([Buffer.from('a\n'), Buffer.alloc(40_000_000, 'x'), Buffer.from('\nok\n')]),
      1_000_000,
    );
    expect(fieldsOf(huge)).toEqual([['a'], ['FAULT the line is too long'], ['ok']]);
    expect(huge[1]).toMatchObject({ line: 2, raw: 'x'.repeat(8_192) });
    expect(huge[2]).toMatchObject({ line: 3, offset: 40_000_003 });
  });

  test('other dialects', () => {
    expect(fieldsOf(read("a;b\n'x;''y';é\n", 1, { ...dialect, delimiter: ';', quote: "'" }))).toEqual([
      ['a', 'b'],
      ["x;'y", 'é'],
    ]);
    expect(fieldsOf(read('a§b\n1§2\n', 1, { ...dialect, delimiter: '§' }))).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });
});
