import type { BatchRecord, DataObject } from '../../definition/refs.ts';
import { parseDataFile } from './data-file.ts';

/** A data object of this size is left as it is. */
export const SMALL_BYTES = 4 * 1024 * 1024;

/** Objects of one date and type that are written as fewer. */
export interface CompactGroup {
  readonly date: string;
  readonly type: string;
  readonly from: readonly DataObject[];
}

export interface CompactPlan {
  readonly groups: readonly CompactGroup[];
  /** What the next version of the record takes over as it is. */
  readonly kept: readonly DataObject[];
}

/**
 * Which objects of a batch are to be written as fewer: of each date and type the small ones that a consumer wrote, where there are two
 * or more. What compaction wrote is left alone, so a batch is compacted once and then there is nothing to do.
 * @returns undefined where there is nothing to do
 */
export function planCompaction({ objects }: BatchRecord): CompactPlan | undefined {
  const small = new Map<string, DataObject[]>();
  for (const object of objects) {
    if (object.bytes >= SMALL_BYTES || parseDataFile(object.key)?.kind !== 'landed') continue;
    const name = JSON.stringify([object.date, object.type]);
    small.set(name, [...(small.get(name) ?? []), object]);
  }
  const groups = [...small]
    .filter(([, from]) => from.length > 1)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, from]): CompactGroup => ({ date: from[0]?.date ?? '', type: from[0]?.type ?? '', from }));
  if (groups.length === 0) return undefined;
  const rewritten = new Set(groups.flatMap(({ from }) => from));
  return { groups, kept: objects.filter((object) => !rewritten.has(object)) };
}
