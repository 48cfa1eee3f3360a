import type { ProposedColumn } from './column-profile.ts';

/** Columns that are looked at in pairs. */
const PAIRED = 8;
const MOST = 5;

/**
 * Columns, or pairs of them, whose values are there in every row and different in each.
 * @param rows Cells by column, as they stand in the file.
 */
export function keyCandidates(columns: readonly ProposedColumn[], rows: readonly (readonly string[])[]): string[][] {
  const total = rows[0]?.length ?? 0;
  if (total < 2) return [];
  const usable = columns.flatMap((column, at) =>
    column.missingCount === 0 && column.type !== 'decimal' && column.type !== 'boolean' && column.longest <= 100
      ? [{ column, at }]
      : [],
  );
  const single = usable.filter(({ column }) => column.distinct === total).map(({ column }) => [column.source]);
  if (single.length > 0) return single.slice(0, MOST);
  const varied = usable.toSorted((a, b) => (b.column.distinct ?? 0) - (a.column.distinct ?? 0)).slice(0, PAIRED);
  const pairs: string[][] = [];
  for (const [n, one] of varied.entries()) {
    for (const other of varied.slice(n + 1)) {
      if ((one.column.distinct ?? 0) * (other.column.distinct ?? 0) < total) continue;
      if (differs(rows[one.at] ?? [], rows[other.at] ?? [])) {
        const order = [one, other].toSorted((a, b) => a.at - b.at);
        pairs.push(order.map(({ column }) => column.source));
      }
      if (pairs.length >= MOST) return pairs;
    }
  }
  return pairs;
}

function differs(one: readonly string[], other: readonly string[]): boolean {
  const seen = new Set<string>();
  for (let row = 0; row < one.length; row++) {
    const pair = `${one[row]?.trim()}\u0000${other[row]?.trim()}`;
    if (seen.has(pair)) return false;
    seen.add(pair);
  }
  return true;
}
