import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnTypes, type ColumnType } from '../../src/definition/columns.ts';
import { canonicalText, type LexicalType } from '../../src/definition/lexical.ts';
import { compilePattern } from '../../src/definition/pattern.ts';
import { duckdbDialect } from '../../src/stages/cleaning/sql/duckdb-dialect.ts';
import { canonicalSql, lexicalRuleSql, quickSql } from '../../src/stages/cleaning/sql/lexical-sql.ts';

const of = (type: ColumnType, precision = 18, scale = 6): LexicalType => ({ type, precision, scale });

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function ask(texts: readonly string[], expression: (text: string) => string): Promise<unknown[]> {
  const sql = `SELECT ${expression('v')} FROM (SELECT unnest($1::VARCHAR[]) AS v, generate_subscripts($1::VARCHAR[], 1) AS n) ORDER BY n`;
  const { listValue } = await import('@duckdb/node-api');
  return (await connection.runAndReadAll(sql, [listValue([...texts])])).getRowsJson().map((row) => row[0]);
}

describe('canonical text', () => {
  const cases: [ColumnType, string, string | null][] = [
    ['string', ' anything\n', ' anything\n'],
    ['integer', '+007', '7'],
    ['integer', '-0', '0'],
    ['integer', '-00012', '-12'],
    ['integer', '9223372036854775807', '9223372036854775807'],
    ['integer', '-9223372036854775808', '-9223372036854775808'],
    ['integer', '9223372036854775808', null],
    ['integer', '-9223372036854775809', null],
    ['integer', '1.0', null],
    ['integer', '１', null],
    ['integer', '', null],
    ['decimal', '0.5000', '0.5'],
    ['decimal', '.5', '0.5'],
    ['decimal', '-5.', '-5'],
    ['decimal', '-0.000', '0'],
    ['decimal', '1.0000000000', '1'],
    ['decimal', '1e-3', null],
    ['decimal', '.', null],
    ['decimal', '1,000', null],
    ['decimal', '1.0000001', null],
    ['decimal', '1234567890123', null],
    ['decimal', '000123456789012', '123456789012'],
    ['boolean', 'YES', 'true'],
    ['boolean', 'f', 'false'],
    ['boolean', 'on', null],
    ['date', '2024-02-29', '2024-02-29'],
    ['date', '2023-02-29', null],
    ['date', '1900-02-29', null],
    ['date', '2000-02-29', '2000-02-29'],
    ['date', '0000-01-01', null],
    ['date', '2026-04-31', null],
    ['date', '2026-4-1', null],
    ['timestamp', '2026-11-24T03:00Z', '2026-11-24T03:00:00.000Z'],
    ['timestamp', '2026-11-24 03:00:59.1234567+05:30', '2026-11-23T21:30:59.123Z'],
    ['timestamp', '2026-11-24T03:00:00-0130', '2026-11-24T04:30:00.000Z'],
    ['timestamp', '2026-11-24T03:00:00', null],
    ['timestamp', '2026-11-24T24:00Z', null],
    ['timestamp', '0001-01-01T00:00+01:00', null],
    ['timestamp', '9999-12-31T23:59-01:00', null],
    ['timestamp', '0001-01-01T00:00Z', '0001-01-01T00:00:00.000Z'],
  ];

  test.each(cases)('%s %j is %j', (type, text, expected) => {
    const found = canonicalText(of(type), text);
    expect(typeof found === 'string' ? null : found.value).toBe(expected);
  });

  test('too many digits say which', () => {
    expect(canonicalText(of('decimal', 6, 4), '0.00001')).toBe('scale');
    expect(canonicalText(of('decimal', 6, 4), '100')).toBe('precision');
    expect(canonicalText(of('integer'), '1'.repeat(20))).toBe('precision');
  });

  test('is its own canonical text', () => {
    const values = cases.flatMap(([type, , value]) => (value === null ? [] : [{ type, value }]));
    expect(values.map(({ type, value }) => canonicalText(of(type), value))).toEqual(
      values.map(({ value }) => ({ value })),
    );
  });

  const numeric = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+'), maxLength: 22 });
  const wide = fc.bigInt(-(2n ** 64n), 2n ** 64n).map(String);
  const day = fc
    .tuple(
      fc.constantFrom('0000', '0001', '0004', '0100', '0400', '1900', '2000', '2023', '2024', '9999'),
      fc.nat(13),
      fc.nat(32),
    )
    .map(([year, month, date]) => `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`);
  const instant = fc
    .tuple(
      fc.oneof(day, fc.constantFrom('0001-01-01', '9999-12-31', '2024-02-29')),
      fc.constantFrom('T', ' ', 't', ''),
      fc.constantFrom(
        '00:00',
        '23:59',
        '24:00',
        '12:60',
        '09:30:59',
        '09:30:60',
        '09:30:01.5',
        '00:00:00.000999999',
        '1:00',
      ),
      fc.constantFrom('Z', '+00:00', '-00:30', '+1400', '-14:59', '+15:00', '', 'z', '+05'),
    )
    .map((parts) => parts.join(''));
  const truth = fc.constantFrom('true', 'TRUE', 'tRuE', 'yes', 'N', '1', '0', '01', 'f', 'no ', 'ja');
  const anything = fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => !text.includes('\0'));

  test.each(columnTypes)('DuckDB and JavaScript agree on %s', async (type) => {
    const texts = fc.array(fc.oneof(numeric, wide, day, instant, truth, anything), { minLength: 1, maxLength: 200 });
    const digits = fc.constantFrom([18, 6], [6, 4], [38, 0], [5, 5], [38, 37]);
    await fc.assert(
      fc.asyncProperty(texts, digits, async (values, [precision, scale]) => {
        const lexical = of(type, precision, scale);
        const rules = await ask(values, (text) => lexicalRuleSql(lexical, text, duckdbDialect));
        const canonical = await ask(
          values,
          (text) =>
            `CASE WHEN (${lexicalRuleSql(lexical, text, duckdbDialect)}) IS NULL THEN ${canonicalSql(lexical, text, duckdbDialect)} END`,
        );
        const expected = values.map((value) => canonicalText(lexical, value));
        expect(rules).toEqual(expected.map((found) => (typeof found === 'string' ? found : null)));
        expect(canonical).toEqual(expected.map((found) => (typeof found === 'string' ? null : found.value)));
      }),
      { numRuns: 40 },
    );
  });

  test.each(['integer', 'decimal', 'boolean', 'timestamp'] as const)(
    'the short cuts of SQL are right wherever they say something of %s, and say it of canonical texts',
    async (type) => {
      const plain = fc
        .tuple(
          fc.constantFrom('', '-', '+'),
          fc.constantFrom('0', '00', '7', '10', '99', ''),
          fc.constantFrom('', '.', '.0', '.10', '.0000', '.1234', '.12340', '.00001'),
        )
        .map((texts) => texts.join(''));
      const texts = fc.array(fc.oneof(plain, numeric, instant, truth), { minLength: 1, maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(texts, fc.constantFrom([18, 6], [6, 4], [38, 0], [4, 4], [3, 1]), async (values, digits) => {
          const lexical = of(type, ...(digits as [number, number]));
          const quick = (text: string): string => quickSql(lexical, text, duckdbDialect) ?? 'NULL';
          const canonical = values.map((value) => canonicalText(lexical, value));
          const expected = canonical.map((found) => (typeof found === 'string' ? null : found.value));
          const found = await ask(values, quick);
          expect(found).toEqual(expected.map((text, at) => (found[at] === null ? null : text)));
          const short = expected.filter((text) => text !== null && (text.length < 18 || type === 'timestamp'));
          expect(await ask(['', ...(short as string[])], quick)).toEqual([null, ...short]);
        }),
        { numRuns: 40 },
      );
    },
  );
});

describe('patterns', () => {
  test.each([
    '[A-Z]{2}',
    '[0-9]{5}(-[0-9]{4})?',
    '\\d+\\.\\d*',
    '(?:a|b)+?',
    '[^\\s,]+',
    '\\w[\\w.-]*@\\w+',
    'a.c',
    '.*',
    '\\$\\-\\/x',
    '[\\]a^-]+',
    '[a[]+',
    '\\S\\D\\W',
    '\\bfoo\\b',
    '',
    'a|',
    '^x$',
    '\\t[\\t ]',
    'ü+',
    '🙂?',
    '"',
    "it's",
    '[\\-\\/]',
    'x{2,}',
    '#\\:',
  ])('%s means the same to both', async (pattern) => {
    const { re2, js } = compilePattern(pattern);
    const unit = fc.constantFrom(
      'a',
      'b',
      'c',
      'x',
      'A',
      'Z',
      '0',
      '7',
      '.',
      '-',
      ',',
      '@',
      ' ',
      '\t',
      '\n',
      '\r',
      '\u00a0',
      '\u2028',
      'ü',
      '🙂',
      '[',
      ']',
      '^',
      '$',
      '/',
      '_',
      '"',
      "'",
      '#',
      ':',
      'foo',
      'é',
    );
    const texts = fc.array(fc.string({ unit, maxLength: 6 }), { minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const found = await ask(values, (text) => `regexp_full_match(${text}, '${re2.replaceAll("'", "''")}')`);
        expect(found).toEqual(values.map((value) => js.test(value)));
      }),
      { numRuns: 15 },
    );
  });

  test.each([
    '(?=a)',
    '(?<!a)b',
    '(?i)a',
    '(?P<n>a)',
    '(?<n>a)',
    '(a)\\1',
    '\\pL',
    '\\u0041',
    '[[:alpha:]]',
    'a++',
    'a{2}+',
    '[]a]',
    '[\\b]',
    'a{1001}',
    '\\',
    '[a',
    '(',
    '\\A',
    '[\\W]',
    'a{,2}',
  ])('%s is refused', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code: 'DefinitionInvalid' }) as Error);
  });
});
