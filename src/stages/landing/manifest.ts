import type { LogicalHour } from '../../definition/hour.ts';
import type { DataObject, IdentityChecksum } from '../../definition/refs.ts';

/** A batch that has begun in a partition and not ended there, as a manifest carries it on. */
export interface OpenBatch {
  readonly hour: LogicalHour;
  readonly schema: string;
  /** The sequence number that its next row must have. */
  readonly expected: number;
  readonly checksum: IdentityChecksum;
  /** First offset of the chunk in which it began. */
  readonly firstChunk: string;
  /** Record time of its last row, in milliseconds. */
  readonly lastSeen: number;
  /** Values of `type=` that it has used in this partition, in the order of their first row. */
  readonly types: readonly string[];
  /** Rows of it are among those given up: what comes of it is dropped, until somebody sends it again from row 0. */
  readonly damaged?: true;
}

/** A batch whose end marker for a partition stands in a chunk. */
export interface EndedBatch {
  readonly hour: LogicalHour;
  readonly schema: string;
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  readonly firstChunk: string;
  readonly partitions: number;
  readonly workflowId: string;
}

/** Offsets of a partition that a person gave up, as going on would otherwise be refused for ever. */
export interface Loss {
  readonly first: string;
  readonly last: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
}

/** What the last record of a chunk was, to tell the log from another of the same name. */
export interface LastRecord {
  readonly offset: string;
  readonly timestamp: number;
  readonly batch: string | null;
  readonly seq: string | null;
}

/**
 * The commit of a range of offsets of one partition, and the fence between two writers: its key holds only the first offset,
 * it is created once, and only at the end of a manifest that its writer has read. Two writers with the same records make the same bytes.
 */
export interface Manifest {
  /** `loss`: the range is given up, and holds nothing. */
  readonly kind: 'data' | 'loss';
  readonly epoch: string;
  readonly partition: number;
  readonly first: string;
  readonly last: string;
  /** First offset of the manifest before this one. */
  readonly previous: string | null;
  /** Null where the range was given up: then nothing is known of its last record. */
  readonly lastRecord: LastRecord | null;
  readonly objects: readonly (DataObject & { readonly batch: string })[];
  /** Rows of other producers, of no batch and no hour: this manifest alone leads to them. */
  readonly foreignObjects?: readonly DataObject[];
  readonly open: Readonly<Record<string, OpenBatch>>;
  readonly ended: Readonly<Record<string, EndedBatch>>;
  /** Batches closed because no row came for `land.abandonAfter`. */
  readonly abandoned: readonly string[];
  /** Rows of a batch that were there already, and dropped. */
  readonly resent: number;
  /** Records that are none of ours. */
  readonly foreign: number;
  /** Rows of batches that had lost others to a range given up, and were dropped. */
  readonly lost?: number;
  /** The newest range given up, for as long as batches that it may have damaged can still go on. */
  readonly loss?: Loss;
}
