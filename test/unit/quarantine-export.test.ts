import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/connectors/object-store.ts';
import type { QuarantineEntry } from '../../src/definition/refs.ts';
import type { RejectedRow } from '../../src/inspecting/quarantine.ts';
import { neutral, rejectedCsv } from '../../src/inspecting/quarantine-export.ts';

/** What spreadsheets begin a formula with, or pass over before one. */
const risky = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/** What nobody sees before them: spaces of any kind, zero width, a byte order mark, controls. */
const unseen = [
  ' ',
  '\u00a0',
  '\u3000',
  '\u2028',
  '\u0085',
  '\v',
  '\u200b',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u202e',
  '\0',
];
const signs = '=+-@＝＋－＠';
/** Whether a cell begins with a sign as a spreadsheet sees it. */
const begins = (cell: string): boolean => {
  const seen = Array.from(cell).find(
    (one) => !/[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/u.test(one),
  );
  return /^[\t\r\n]/.test(cell) || (seen !== undefined && signs.includes(seen));
};
const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed()),
  fc.tuple(fc.constantFrom(...risky), fc.string()).map(([first, rest]) => first + rest),
  fc
    .tuple(fc.array(fc.constantFrom(...unseen), { maxLength: 3 }), fc.constantFrom(...Array.from(signs)), fc.string())
    .map(([before, sign, rest]) => before.join('') + sign + rest),
  fc.string({
    unit: fc.constantFrom('"', ',', '\r', '\n', '\t', ' ', ';', "'", '=', '@', 'a', '#', '\u2028', '\u2029', '\u0085'),
  }),
);
const rows = fc.array(
  fc.record(
    {
      ...{ file: fc.constant('f'), row: fc.nat(), line: fc.nat(), byteOffset: fc.nat() },
      ...{ column: text, rule: text, value: text, reason: text, raw: text },
    },
    { requiredKeys: ['file', 'row', 'line', 'byteOffset', 'rule', 'raw'] },
  ),
  { maxLength: 20 },
);

async function exported(rejected: readonly RejectedRow[]): Promise<string> {
  const store = {
    keyOf: (uri: string) => uri,
    stream: async () => Readable.from(rejected.map((row) => `${JSON.stringify(row)}\n`)),
  } as unknown as Store;
  let csv = '';
  for await (const piece of rejectedCsv(store, { rejects: { uri: 'u' } } as QuarantineEntry)) csv += piece;
  return csv;
}

const cellsOf = (csv: string): string[][] => parse(csv, { bom: true, relaxColumnCount: false });

describe('rejected rows for a spreadsheet', () => {
  it('come back from CSV as they were, but for an apostrophe before what could be a formula', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (rejected) => {
        const [header = [], ...back] = cellsOf(await exported(rejected as RejectedRow[]));
        expect(back).toHaveLength(rejected.length);
        for (const [at, row] of back.entries()) {
          const given = rejected[at] as Record<string, string | number | undefined>;
          for (const [n, name] of header.entries()) {
            const [cell = '', was = ''] = [row[n], given[name]?.toString()];
            expect(begins(cell)).toBe(false);
            expect(cell).toBe(neutral(was));
            // Nothing else is other than it was.
            expect(cell.replaceAll("'", '')).toBe(was.replaceAll("'", ''));
            const alone = !/[;\t\r\n]/.test(was);
            expect(alone ? cell : '').toBe(!alone ? '' : begins(was) ? `'${was}` : was);
          }
        }
      }),
    );
  });

  it('hold no formula where a spreadsheet takes semicolons or tabs for what is between cells', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (rejected) => {
        const csv = await exported(rejected as RejectedRow[]);
        for (const cell of csv.split(/[;\t\r\n]/)) expect(begins(cell.replaceAll('"', ''))).toBe(false);
      }),
    );
    expect(neutral("x;=cmd|' /C calc'!A0;\t @a;b")).toBe("x;'=cmd|' /C calc'!A0;\t '@a;b");
    expect(await exported([{ file: 'f', row: 1, line: 1, byteOffset: 0, rule: 'r', raw: 'a;b' }])).toMatch(
      /,"a;b"\r\n$/,
    );
  });

  it.each(risky)('hold no cell that begins with %j', (first) => {
    expect(neutral(`${first}cmd|' /C calc'!A0`)).toBe(`'${first}cmd|' /C calc'!A0`);
  });

  it.each(unseen)('M5: hold no cell that begins with a sign behind %j', (before) => {
    for (const sign of signs) {
      expect(neutral(`${before}${before}${sign}1`)).toBe(`'${before}${before}${sign}1`);
      expect(neutral(`a;"${before}${sign}1`)).toBe(`a;"${before}'${sign}1`);
    }
  });

  it('M5: take a negative number in a text for the beginning of a formula', () => {
    expect(neutral('-5')).toBe("'-5");
  });

  it('begin with the mark by which a spreadsheet knows UTF-8', async () => {
    expect(await exported([])).toMatch(/^\uFEFFfile,row,line/);
  });

  it('are made neutral in time that grows with them, whatever they are', () => {
    for (const one of ['\t', ';', ' ', '\u200b', '"', ';\u200b', '\n"']) {
      const long = one.repeat(500_000);
      expect(neutral(long).length).toBeGreaterThanOrEqual(long.length);
    }
  });

  it('leave what is no formula alone', () => {
    for (const plain of ['', 'a', '1', "'", ' a=1', '1-2', '\u200b']) expect(neutral(plain)).toBe(plain);
  });
});
