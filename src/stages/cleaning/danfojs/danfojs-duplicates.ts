import danfo from 'danfojs-node';
import { compareValues } from './compare-values.ts';
import type { SoundRow } from './sound-row.ts';
import type { CleanRules } from '../rules.ts';

const { Series } = danfo;

/** The rows that stay, in source order, and those that are rejected because their key stands more than once. */
export function chooseRows(
  rules: CleanRules,
  kept: readonly SoundRow[],
): { chosen: readonly SoundRow[]; conflicting: readonly SoundRow[] } {
  const distinct = rules.exact ? unique(kept, ({ values }) => JSON.stringify(values), 'first') : kept;
  if (rules.key.length === 0) return { chosen: distinct, conflicting: [] };
  const keyOf = ({ values }: SoundRow): string => JSON.stringify(rules.key.map((at) => values[at]));
  if (rules.keep === 'reject') {
    const times = new Map<string, number>();
    for (const row of distinct) times.set(keyOf(row), (times.get(keyOf(row)) ?? 0) + 1);
    const alone = (row: SoundRow): boolean => times.get(keyOf(row)) === 1;
    return { chosen: distinct.filter(alone), conflicting: distinct.filter((row) => !alone(row)) };
  }
  if (rules.keep !== 'newest') return { chosen: unique(distinct, keyOf, rules.keep), conflicting: [] };
  const compare = compareValues(rules, rules.newest ?? 0);
  const newest = new Map<string, SoundRow>();
  for (const row of distinct) {
    const before = newest.get(keyOf(row));
    // Rows come in order, so of equals the later one is the last. A missing value is older than any.
    if (!before || isNewer(row, before)) newest.set(keyOf(row), row);
  }
  return { chosen: [...newest.values()].toSorted((a, b) => a.row - b.row), conflicting: [] };

  function isNewer(row: SoundRow, than: SoundRow): boolean {
    const [own, other] = [row.values[rules.newest ?? 0] ?? null, than.values[rules.newest ?? 0] ?? null];
    if (other === null) return true;
    return own !== null && compare(own, other) >= 0;
  }
}

function unique(rows: readonly SoundRow[], keyOf: (row: SoundRow) => string, keep: 'first' | 'last'): SoundRow[] {
  if (rows.length === 0) return [];
  const { index } = new Series(rows.map(keyOf), { dtypes: ['string'] }).dropDuplicates({ keep });
  return index.flatMap((nth) => rows[Number(nth)] ?? []).toSorted((a, b) => a.row - b.row);
}
