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
const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed()),
  fc.tuple(fc.constantFrom(...risky), fc.string()).map(([first, rest]) => first + rest),
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

const cellsOf = (csv: string): string[][] => parse(csv, { bom: false, relaxColumnCount: false });

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
            expect(risky).not.toContain(cell[0]);
            expect(cell).toBe(neutral(was));
            // Nothing else is other than it was.
            expect(cell.replaceAll("'", '')).toBe(was.replaceAll("'", ''));
            const alone = !/[;\t\r\n]/.test(was);
            expect(alone ? cell : '').toBe(!alone ? '' : risky.includes(was[0] ?? '') ? `'${was}` : was);
          }
        }
      }),
    );
  });

  it('hold no formula where a spreadsheet takes semicolons or tabs for what is between cells', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (rejected) => {
        const csv = await exported(rejected as RejectedRow[]);
        for (const cell of csv.split(/[;\t\r\n]/)) expect(cell).not.toMatch(/^[" ]*[=+\-@＝＋－＠]/);
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

  it('leave what is no formula alone', () => {
    for (const plain of ['', 'a', '1', "'", ' =1', '1-2']) expect(neutral(plain)).toBe(plain);
  });
});
