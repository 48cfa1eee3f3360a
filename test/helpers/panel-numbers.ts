import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { marksIn, rowsOf, type Cell } from './dashboard-page.ts';
import type { Expected } from './direct-numbers.ts';
import { drawnMarks, scaled, type DrawnMark } from './drawn-marks.ts';

type Row = readonly Cell[];
type Places = Partial<Pick<DrawnMark, 'x' | 'x2' | 'y' | 'y2' | 'text'>> & { readonly long?: number };

const at = (row: Row, column: number): number => Number(row[column]);

/** What the mark of a row must show beside its axes, by the panel’s id behind that of its dashboard. */
const shown: Readonly<Record<string, (row: Row) => Places>> = {
  records: (row) => ({ text: String(row[0]) }),
  'usage-by-state': (row) => ({ x: 0, x2: at(row, 1) }),
  'usage-distribution': (row) => ({ y: at(row, 1), y2: 0 }),
  'availability-distribution': (row) => ({ y: at(row, 1), y2: 0 }),
  'simulated-mbps-distribution': (row) => ({ y: at(row, 1), y2: 0 }),
  'by-usage-band': (row) => ({ x: 0, x2: at(row, 1) }),
  'top-state': (row) => ({ x: 0, x2: at(row, 1) }),
  'usage-trend': (row) => ({ x: Date.parse(`${String(row[0])} UTC`), y: at(row, 1) }),
  'availability-trend': (row) => ({ x: Date.parse(`${String(row[0])} UTC`), y: at(row, 1) }),
  'simulated-mbps-trend': (row) => ({ x: Date.parse(`${String(row[0])} UTC`), y: at(row, 1) }),
  'hours-records': (row) => ({ y: at(row, 1), y2: 0 }),
  'error-95-against-usage': (row) => ({ y: at(row, 1) }),
  'rows-per-run': (row) => ({ long: at(row, 3) }),
  'rejected-by-reason': (row) => ({ x: 0, x2: at(row, 1) }),
  durations: (row) => ({ long: at(row, 2) }),
  lag: (row) => ({ y: at(row, 2) }),
};

/** Which column of a row the mark’s colour stands for, and which its size. */
const colored: Readonly<Record<string, { readonly color: number; readonly size?: number }>> = {
  'usage-by-county-map': { color: 1 },
  'usage-by-state-map': { color: 1 },
  places: { color: 1, size: 0 },
};

/** Holds what every panel of a page says, and draws, against what it must. @returns what each says */
export async function holdPanels(
  page: Page,
  panels: readonly Locator[],
  prefix: string,
  expected: Readonly<Record<string, Expected>>,
): Promise<Record<string, unknown>> {
  const drawn = await drawnMarks(page);
  const told: Record<string, unknown> = {};
  for (const panel of panels) {
    const whole = (await panel.getAttribute('data-panel')) ?? '';
    const id = whole.slice(prefix.length);
    const wanted = expected[id] ?? { rows: [] };
    if (wanted.value !== undefined) {
      const value = await panel.locator('.big').getAttribute('data-value');
      near(value === null ? Number.NaN : Number(value), wanted.value ?? Number.NaN, id);
      told[id] = wanted.value;
      continue;
    }
    told[id] = wanted.rows;
    if (wanted.rows.length === 0) {
      await panel.getByText('Nothing in this time, with these filters.').waitFor();
      continue;
    }
    expect({ id, isDrawn: (await marksIn(panel)) > 0 }).toEqual({ id, isDrawn: true });
    same(id, await rowsOf(panel), wanted.rows);
    const columns = await panel.locator('thead th').allTextContents();
    const marks = drawn[whole] ?? [];
    const pairs = paired(id, marks, wanted.rows, columns);
    for (const [mark, row] of pairs) hold(id, mark, shown[id]?.(row) ?? {});
    const { color, size } = colored[id] ?? {};
    for (const [scale, column] of [
      ['color', color],
      ['size', size],
    ] as const) {
      if (column === undefined) continue;
      const made = await scaled(
        page,
        whole,
        scale,
        pairs.map(([, row]) => at(row, column)),
      );
      const marked = pairs.map(([mark]) => (scale === 'color' ? mark.fill : mark.size));
      expect({ id, marked }).toEqual({ id, marked: made });
    }
    if (id === 'error-95-against-usage') {
      const areas = marks.filter(({ kind }) => kind === 'area').map(({ y = 0, y2 = 0 }) => [y, y2]);
      same(
        id,
        areas,
        wanted.rows.map((row) => row.slice(2, 4)),
      );
    }
    if (id === 'equations') {
      const texts = marks.filter(({ name }) => name === 'layer_2_marks').map(({ text }) => text ?? '');
      const cells = wanted.rows.flatMap((row) => row.slice(2, 11).map((cell) => cell.toLocaleString('en')));
      expect(texts.toSorted()).toEqual(cells.toSorted());
    }
  }
  expect(Object.keys(told).toSorted()).toEqual(Object.keys(expected).toSorted());
  return told;
}

/** Each mark with the row that what it says of itself is about. */
function paired(
  id: string,
  marks: readonly DrawnMark[],
  rows: readonly Row[],
  columns: readonly string[],
): [DrawnMark, Row][] {
  const left = [...rows];
  const pairs = marks
    .filter(({ name }) => name === 'told_marks')
    .map((mark): [DrawnMark, Row] => {
      const texts = columns.map((column) => mark.tooltip?.[column] ?? '');
      const numbers = texts.map(written);
      const says = (cell: Cell, at: number): boolean => {
        const { value, unit } = numbers[at] ?? NOTHING;
        if (typeof cell === 'number') return Math.abs(value - cell) <= unit * 0.5001;
        return texts[at] === cell || (cell === '–' && ['null', 'undefined', 'NaN', ''].includes(texts[at] ?? ''));
      };
      const found = left.findIndex((row) => row.every(says));
      if (found < 0) throw new Error(`${id} draws ${texts.join(' | ')}, of which no row is`);
      return [mark, ...left.splice(found, 1)] as [DrawnMark, Row];
    });
  expect({ id, undrawn: left }).toEqual({ id, undrawn: [] });
  return pairs;
}

const NOTHING = { value: Number.NaN, unit: 0 };

/** A number as it is written for people, and how much its last digit is. */
function written(text: string): { readonly value: number; readonly unit: number } {
  const [, digits = '', percent = ''] = /^([−\d.,]+)(%?)$/.exec(text) ?? [];
  if (digits === '') return NOTHING;
  const plain = digits.replace('−', '-').replaceAll(',', '');
  const whole = percent === '%' ? 100 : 1;
  return { value: Number(plain) / whole, unit: 10 ** -(plain.split('.')[1]?.length ?? 0) / whole };
}

function hold(id: string, mark: DrawnMark, { long, text, ...places }: Places): void {
  if (text !== undefined && mark.text !== text)
    throw new Error(`${id} draws ${mark.text ?? 'no text'}, and not ${text}`);
  if (long !== undefined) near((mark.x2 ?? Number.NaN) - (mark.x ?? Number.NaN), long, id);
  for (const [name, value] of Object.entries(places)) near(mark[name as 'x'] ?? Number.NaN, value, `${id} ${name}`);
}

const isNear = (found: number, wanted: number): boolean =>
  Object.is(found, wanted) || Math.abs(found - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted));

/** As exact as pixels are, and the centres of places in Elasticsearch. */
function near(found: number, wanted: number, what: string): void {
  if (!isNear(found, wanted)) throw new Error(`${what} is ${found}, and not ${wanted}`);
}

/** Holds that both have the same rows, in whatever order. */
function same(id: string, found: readonly Row[], wanted: readonly Row[]): void {
  const words = (row: Row): string => row.filter((cell) => typeof cell === 'string').join(' | ');
  const left = Map.groupBy(wanted, words);
  const others = found.filter((row) => {
    const alike = left.get(words(row)) ?? [];
    const which = alike.findIndex((one) =>
      one.every((cell, n) => cell === row[n] || isNear(Number(row[n]), Number(cell))),
    );
    if (which >= 0) alike.splice(which, 1);
    return which < 0;
  });
  expect({ id, others, missing: [...left.values()].flat() }).toEqual({ id, others: [], missing: [] });
}
