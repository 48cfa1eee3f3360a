import type { DataObject } from '../../definition/refs.ts';
import type { DataFile } from './data-file.ts';

/** What is known of a batch when one of its objects is judged. */
export type BatchState =
  /** Its hour was removed by retention more than the grace ago: nothing can name the batch any more. */
  | { readonly kind: 'removed' }
  | {
      readonly kind: 'committed';
      readonly version: number;
      /** Objects of the newest version, and of each older one that was superseded less than the grace ago. */
      readonly named: ReadonlySet<string>;
    }
  | {
      readonly kind: 'landing';
      /** Objects of the partitions that have landed. */
      readonly named: ReadonlySet<string>;
    };

/** The manifest chain of one partition as gc read it before it looked at anything else. */
export interface ChainState {
  readonly position: bigint;
  /** First offset of the chunk in which each batch began that is open at the head, or ended in it. */
  readonly begun: ReadonlyMap<string, bigint>;
}

/** Why an object of a batch goes; undefined where it stays. */
export type Garbage =
  | 'objects of hours that are not kept'
  | 'objects of older versions of batch records'
  | 'objects that no manifest or record names';

/**
 * Whether a data object is garbage for ever. Age alone would not do: a consumer that comes back after a week finds the object that it had
 * written standing there, and names it. So an object goes only where whoever could name it can do so no more, which no later
 * moment undoes: the chain is past its offset and its batch is over there; its batch is committed without it; the version
 * that could have brought it in stands without it.
 */
export function garbageOf(key: string, file: DataFile, batch: BatchState, chain: ChainState): Garbage | undefined {
  if (batch.kind === 'removed') return 'objects of hours that are not kept';
  if (batch.named.has(key)) return undefined;
  const unnamed = 'objects that no manifest or record names';
  if (file.kind === 'compacted') {
    // A batch without a record has never been compacted: its record went with its hour.
    if (batch.kind === 'landing') return unnamed;
    // A compaction may be about to publish this version.
    return file.version > batch.version ? undefined : unnamed;
  }
  if (batch.kind === 'committed') return 'objects of older versions of batch records';
  if (file.first >= chain.position) return undefined;
  const begun = chain.begun.get(file.batch);
  return begun !== undefined && begun <= file.first ? undefined : unnamed;
}

export const keysOf = (objects: readonly DataObject[]): string[] => objects.map(({ key }) => key);
