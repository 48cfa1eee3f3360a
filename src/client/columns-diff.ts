import type { OutputColumn } from '../definition/columns.ts';
import { differencesOf, type Difference } from './schedules/differences.ts';

/** How the columns of a data set, as they are landed, are otherwise. */
export interface ColumnsDiff {
  readonly dataset: string;
  readonly added: readonly OutputColumn[];
  readonly removed: readonly OutputColumn[];
  /** Columns that both have: their type, precision, scale. */
  readonly changed: readonly { readonly column: string; readonly differences: readonly Difference[] }[];
  /** What both have comes in another order. */
  readonly reordered: boolean;
}

type Columns = Readonly<Record<string, readonly OutputColumn[]>>;

/** Data sets whose columns are not the same; of one that is new or gone all columns are. */
export function columnsDiff(old: Columns, now: Columns): ColumnsDiff[] {
  return [...new Set([...Object.keys(now), ...Object.keys(old)])]
    .map((dataset) => datasetDiff(dataset, old[dataset] ?? [], now[dataset] ?? []))
    .filter(
      ({ added, removed, changed, reordered }) => added.length + removed.length + changed.length > 0 || reordered,
    );
}

function datasetDiff(dataset: string, old: readonly OutputColumn[], now: readonly OutputColumn[]): ColumnsDiff {
  const [before, after] = [old, now].map((columns) => new Map(columns.map((column) => [column.name, column])));
  const common = (one: readonly OutputColumn[], other?: ReadonlyMap<string, OutputColumn>): string[] =>
    one.map(({ name }) => name).filter((name) => other?.has(name));
  const kept = common(now, before);
  const changed = kept
    .map((column) => ({ column, differences: differencesOf({ ...before?.get(column) }, { ...after?.get(column) }) }))
    .filter(({ differences }) => differences.length > 0);
  return {
    dataset,
    added: now.filter(({ name }) => !before?.has(name)),
    removed: old.filter(({ name }) => !after?.has(name)),
    changed,
    reordered: common(old, after).join('\n') !== kept.join('\n'),
  };
}
