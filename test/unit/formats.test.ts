import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutputColumn } from '../../src/definition/columns.ts';
import { fromScaled, plainDigits, toScaled } from '../../src/formats/decimal.ts';
import { decodeJsonLines, encodeJsonLines } from '../../src/formats/json-lines.ts';
import { decodeParquet, encodeParquet, encodeTextParquet, type Row } from '../../src/formats/parquet.ts';
import { named, textColumns } from '../helpers/text-columns.ts';

const columns: OutputColumn[] = [
  { name: 'text', type: 'string' },
  { name: 'whole', type: 'integer' },
  { name: 'small', type: 'decimal', precision: 6, scale: 4 },
  { name: 'wide', type: 'decimal', precision: 38, scale: 9 },
  { name: 'flag', type: 'boolean' },
  { name: 'day', type: 'date' },
  { name: 'at', type: 'timestamp' },
];

const scaled = (digits: number, scale: number) =>
  fc.bigInt(-(10n ** BigInt(digits)) + 1n, 10n ** BigInt(digits) - 1n).map((value) => fromScaled(value, scale));
const instant = fc.date({
  min: new Date('0001-01-02T00:00:00Z'),
  max: new Date('9999-12-30T00:00:00Z'),
  noInvalidDate: true,
});
const nullable = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const row = fc.record({
  text: nullable(fc.string({ unit: 'grapheme' })),
  whole: nullable(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String)),
  small: nullable(scaled(6, 4)),
  wide: nullable(scaled(38, 9)),
  flag: nullable(fc.boolean()),
  day: nullable(instant.map((date) => date.toISOString().slice(0, 10))),
  at: nullable(instant.map((date) => date.toISOString())),
});
const plain = (rows: Iterable<Row[]>) => [...rows].flat().map((item) => ({ ...item }));

async function duckdb(bytes: Buffer, sql: (file: string) => string): Promise<unknown[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-formats-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const file = join(folder, 'file.parquet');
    await writeFile(file, bytes);
    return (await connection.runAndReadAll(sql(`read_parquet('${file}')`))).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}

describe('parquet', () => {
  test('what goes in comes back, exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
        expect(plain(decodeParquet(columns, await encodeParquet(columns, rows)))).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });

  test('equal rows give equal bytes, and more than one batch comes back in order', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => ({ text: `row ${n % 50}`, whole: String(n), small: null }));
    const first = await encodeParquet(columns, rows);
    expect((await encodeParquet(columns, structuredClone(rows))).equals(first)).toBe(true);
    expect(plain(decodeParquet(columns, first)).map((item) => item['whole'])).toEqual(rows.map(({ whole }) => whole));
    expect(first.length).toBeLessThan(100_000);
  });

  test('DuckDB reads the same types and exact values', async () => {
    const bytes = await encodeParquet(columns, [
      {
        text: 'naïve "x"',
        whole: '-9007199254740993',
        small: '-0.0001',
        wide: '-12345678901234567890123456789.123456789',
        flag: true,
        day: '1970-01-01',
        at: '2026-11-24T03:00:00.123Z',
      },
      { text: null, whole: 7, small: 0.5, wide: null, flag: 'false', day: null, at: '2026-11-24T03:00:00Z' },
    ]);
    const types = await duckdb(
      bytes,
      (file) => `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${file})`,
    );
    expect(Object.fromEntries(types as [string, string][])).toEqual({
      text: 'VARCHAR',
      whole: 'BIGINT',
      small: 'DECIMAL(6,4)',
      wide: 'DECIMAL(38,9)',
      flag: 'BOOLEAN',
      day: 'DATE',
      at: 'TIMESTAMP WITH TIME ZONE',
    });
    const values = await duckdb(
      bytes,
      (file) =>
        `SELECT "text", whole::VARCHAR, small::VARCHAR, wide::VARCHAR, flag::VARCHAR, day::VARCHAR, epoch_ms("at")::VARCHAR FROM ${file}`,
    );
    expect(values).toEqual([
      [
        'naïve "x"',
        '-9007199254740993',
        '-0.0001',
        '-12345678901234567890123456789.123456789',
        'true',
        '1970-01-01',
        '1795489200123',
      ],
      [null, '7', '0.5000', null, 'false', null, '1795489200000'],
    ]);
  });

  test.each([
    ['whole', '1.5'],
    ['whole', '9223372036854775808'],
    ['small', '100'],
    ['small', '0.00001'],
    ['small', 'abc'],
    ['flag', 'maybe'],
    ['day', '2026-02-30x'],
    ['at', '2026-11-24 03:00'],
    ['text', 5],
  ])('a value that is none of its type is refused: %s %s', async (name, value) => {
    await expect(encodeParquet(columns, [{ [name]: value }])).rejects.toMatchObject({ code: 'ObjectCorrupt' });
  });

  test('a text that begins with a byte order mark keeps it', async () => {
    const column = { name: 'text', type: 'string' } as const;
    const rows = [{ text: '\uFEFF' }, { text: null }, { text: '\uFEFFa' }, { text: '' }];
    expect(plain(decodeParquet([column], await encodeParquet([column], rows)))).toEqual(rows);
  });

  test('bytes that are no Parquet, and columns that are not there, are named', async () => {
    expect(() => plain(decodeParquet(columns, Buffer.from('no')))).toThrow(/not a Parquet file/);
    const bytes = await encodeParquet([{ name: 'other', type: 'string' }], [{ other: 'x' }]);
    expect(() => plain(decodeParquet([{ name: 'text', type: 'string' }], bytes))).toThrow(
      /text as Utf8; it is not there/,
    );
  });

  test('the parsed table is all text with its origins', async () => {
    const cells = textColumns(2, [
      ['1', 'x'],
      ['', '🙂'],
    ]);
    const bytes = encodeTextParquet([...named(['a', '__proto__']), { name: 'none', position: -1 }], cells, 3);
    expect(await duckdb(bytes, (file) => `SELECT * FROM ${file}`)).toEqual([
      ['1', 'x', '', '3', '1', '1', '10'],
      ['', '🙂', '', '3', '2', '2', '20'],
    ]);
  });
});

describe('json lines', () => {
  test('what goes in comes back, in any batch size', () => {
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 1, max: 7 }), (rows, size) => {
        expect(plain(decodeJsonLines(columns, encodeJsonLines(columns, rows), size))).toEqual(rows);
      }),
    );
  });

  test('a broken line is named', () => {
    expect(() => plain(decodeJsonLines(columns, Buffer.from('{}\n{"a":')))).toThrow(/Line 2 is not JSON/);
    expect(() => plain(decodeJsonLines(columns, Buffer.from('[]')))).toThrow(/Line 1 is not a JSON object/);
  });
});

describe('decimal', () => {
  test('numbers become plain digits', () => {
    expect([1e-7, -1.5e-9, 1e21, 1.25e22, 0.1, -3].map(plainDigits)).toEqual([
      '0.0000001',
      '-0.0000000015',
      '1000000000000000000000',
      '12500000000000000000000',
      '0.1',
      '-3',
    ]);
  });

  test('text to scaled and back is canonical', () => {
    expect(['+007.50', '-0.00', '.5', '5.', '-12'].map((text) => fromScaled(toScaled(text, 4), 4))).toEqual([
      '7.5',
      '0',
      '0.5',
      '5',
      '-12',
    ]);
    expect(() => toScaled('.', 2)).toThrow(/not a number/);
  });
});
