import { toScaled } from '../../../formats/decimal.ts';
import type { Fill } from '../column-rule.ts';
import { compareValues } from './compare-values.ts';
import type { SoundRow } from './sound-row.ts';
import { meanText, medianText, middleOf } from '../fill-values.ts';
import { numberShape } from '../numeric-bound.ts';
import type { CleanRules } from '../rules.ts';

/** Rows with what is put in for missing values, and what mean, median and mode came to by column. */
export function fillRows(
  rules: CleanRules,
  rows: readonly SoundRow[],
): { rows: readonly SoundRow[]; texts: Record<string, string> } {
  const texts: Record<string, string> = {};
  const put = new Map<number, (row: number) => string | null>();
  for (const [at, { fill, name }] of rules.columns.entries()) {
    if (!fill) continue;
    if (fill.kind === 'forward') {
      const found = forward(rules, rows, at, fill);
      put.set(at, (row) => found[row] ?? null);
      continue;
    }
    const text = constant(rules, rows, at, fill.kind);
    if (text === undefined) continue;
    texts[name] = text;
    put.set(at, () => text);
  }
  if (put.size === 0) return { rows, texts };
  const filled = rows.map((row, nth) => ({
    ...row,
    values: row.values.map((value, at) => value ?? put.get(at)?.(nth) ?? null),
  }));
  return { rows: filled, texts };
}

function constant(
  rules: CleanRules,
  rows: readonly SoundRow[],
  at: number,
  kind: 'mean' | 'median' | 'mode',
): string | undefined {
  const present = rows.flatMap(({ values }) => values[at] ?? []);
  const compare = compareValues(rules, at);
  if (kind === 'mode') {
    const times = new Map<string, number>();
    for (const text of present) times.set(text, (times.get(text) ?? 0) + 1);
    return [...times].toSorted(([a, m], [b, n]) => n - m || compare(a, b))[0]?.[0];
  }
  const lexical = rules.columns[at]?.lexical;
  const scale = (lexical && numberShape(lexical)?.scale) ?? 0;
  const numbers = present.map((text) => toScaled(text, scale));
  if (kind === 'mean')
    return meanText(
      numbers.reduce((sum, value) => sum + value, 0n),
      BigInt(numbers.length),
      scale,
    );
  const { from, length } = middleOf(numbers.length);
  const sorted = numbers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return medianText(sorted.slice(from, from + length), scale);
}

function forward(
  rules: CleanRules,
  rows: readonly SoundRow[],
  at: number,
  { within, order }: Extract<Fill, { kind: 'forward' }>,
): (string | null)[] {
  const comparers = order.map((by) => ({ by, compare: compareValues(rules, by) }));
  const sorted = [...rows.keys()].toSorted((a, b) => {
    for (const { by, compare } of comparers) {
      const [left, right] = [rows[a]?.values[by] ?? null, rows[b]?.values[by] ?? null];
      if (left === null || right === null) {
        if (left !== right) return left === null ? 1 : -1;
        continue;
      }
      const found = compare(left, right);
      if (found !== 0) return found;
    }
    return a - b;
  });
  const last = new Map<string, string>();
  const found: (string | null)[] = Array.from({ length: rows.length }, () => null);
  for (const nth of sorted) {
    const values = rows[nth]?.values ?? [];
    const group = JSON.stringify(within.map((by) => values[by]));
    const own = values[at] ?? null;
    if (own !== null) last.set(group, own);
    found[nth] = last.get(group) ?? null;
  }
  return found;
}
