import type { LogicalHour } from '../definition/hour.ts';
import type { StartStage } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type {
  CleanBatch,
  HourRecord,
  IdentityChecksum,
  ImportResult,
  IndexResult,
  ObjectRef,
  PreparedStream,
  PublishResult,
  SeenHours,
  Span,
} from '../definition/refs.ts';
import type { Tally } from './maintaining/tally.ts';

// What goes into each stage and comes out of it. All of it is plain JSON: it is what Temporal's history holds.

export interface PrepareInput {
  readonly pipeline: Pipeline;
}

export interface ImportInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  /** The hour has an import record, and the source is to be asked all the same. */
  readonly refetch: boolean;
  /** A past hour without an import record may take what the source holds today. */
  readonly useCurrent: boolean;
  /** Do not compare with the hour before. */
  readonly force: boolean;
  /** From `clean` on nothing is fetched. */
  readonly startFrom?: StartStage;
}

export interface CleanInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  readonly imported: ImportResult;
}

export interface SaveInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  readonly clean: ObjectRef;
}

export interface DoneInput {
  readonly pipeline: string;
  readonly hour: LogicalHour;
}

export interface PublishInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  readonly prepared: PreparedStream;
  readonly batch: CleanBatch;
  /** Who waits for the batch: named in the end markers, signalled when it has landed. */
  readonly workflowId: string;
}

export interface ConsumeInput {
  readonly stream: string;
  readonly topic: string;
  readonly epoch: string;
  readonly life: number;
  readonly partitions: number;
  readonly shard: number;
  /** Shards in all; 1 where left out. This one has the partitions that leave `shard` when divided by it. */
  readonly shards?: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly abandonAfterMs: number;
  /** After so many milliseconds a chunk with records of other producers is committed; a minute where left out. */
  readonly foreignFlushMs?: number;
  /** Version of the schema by which records of other producers are landed; dead letters all where left out. */
  readonly foreignSchema?: string;
}

/** Where a consumer stands; also its heartbeat. */
export interface ConsumeStatus {
  readonly topic: string;
  /** Next offset to land per partition, as text. */
  readonly positions: Readonly<Record<string, string>>;
  /** Next offset to read per partition: what lies between waits for its chunk to end. */
  readonly reading: Readonly<Record<string, string>>;
  readonly landedRows: number;
  readonly resent: number;
  readonly foreign: number;
  /** Of those, sent to the dead-letter topic. */
  readonly deadLetters: number;
  /** Dropped rows of batches that had lost others to a range given up. */
  readonly lost: number;
  /** Records behind the newest that a fetch has told of, over all partitions. */
  readonly lag: number;
  readonly manifests: number;
  readonly openBatches: number;
}

/** A range of offsets to be given up, both ends inclusive, as text. */
export interface LossInput {
  readonly partition: number;
  readonly from: string;
  readonly to: string;
  /** Why: it stands in the chain for good. */
  readonly reason: string;
}

export interface AcceptLossInput extends LossInput {
  readonly consume: ConsumeInput;
}

export interface LandedInput {
  readonly stream: string;
  readonly batchId: string;
  /** Where it was published; without it nobody can tell whether rows of it were given up. */
  readonly published?: { readonly epoch: string; readonly spans: readonly Span[] };
}

/** The commit of a batch, without the list of its objects. */
export interface Landed {
  readonly batch: string;
  readonly version: number;
  readonly record: ObjectRef;
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  readonly objects: number;
}

export interface CommitHourInput {
  readonly stream: string;
  readonly hour: LogicalHour;
  readonly rawSha: string;
  readonly definitionSha: string;
  /** The batch that the hour consists of, or the hour that it equals. */
  readonly content: { readonly landed: Landed } | { readonly sameAs: LogicalHour };
  /** Of the main data set under `duplicates.acrossRuns`. */
  readonly seen?: SeenHours;
}

export interface MarkStaleInput {
  readonly pipeline: string;
  /** What has just been committed. */
  readonly hour: LogicalHour;
  readonly generation: number;
}

/** The hours that a commit made stale. */
export interface MadeStale {
  /** Later ones, ascending; the first hundred. */
  readonly hours: readonly LogicalHour[];
  readonly count: number;
  /** The hour itself is: an earlier one was committed while it was on its way. */
  readonly itself: boolean;
}

export interface IndexInput {
  readonly pipeline: Pipeline;
  readonly prepared: PreparedStream;
  readonly hourRecord: HourRecord;
  readonly landed: Landed;
}

export interface ReindexInput {
  readonly pipeline: Pipeline;
  readonly dataset: string;
  readonly dryRun: boolean;
}

/** What a rebuild of one index comes to. */
export interface RebuildPlan {
  readonly dataset: string;
  readonly alias: string;
  /** What stands behind the alias now. */
  readonly from?: string;
  /** What is to be filled; absent in a dry run that found none. */
  readonly to?: string;
  /** An earlier attempt began it. */
  readonly resumed: boolean;
  readonly hours: number;
  readonly rows: number;
  /** Of the data objects. */
  readonly bytes: number;
}

export interface RebuildInput {
  readonly pipeline: Pipeline;
  readonly dataset: string;
  readonly from?: string;
  readonly to: string;
  /** Leave the old index there, under its own name. */
  readonly keepOld: boolean;
}

/** An index that was filled from the object store, and took its place. */
export interface Rebuilt {
  readonly dataset: string;
  readonly alias: string;
  readonly index: string;
  readonly hours: number;
  readonly rows: number;
  /** Hours that were there already. */
  readonly whole: number;
  /** Values that are none of the field's type now, and were left out of their documents; by column. */
  readonly misfits: Readonly<Record<string, number>>;
  /** The index that stood there before. */
  readonly deleted?: string;
}

export interface ReconcileInput {
  readonly prepared: PreparedStream;
  readonly hourRecord: HourRecord;
  readonly batch: CleanBatch;
  readonly published: PublishResult;
  readonly landed: Landed;
  readonly indexed: IndexResult;
}

/** What a cancelled run is to tidy up. */
export interface DiscardInput {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly runId: string;
  /** Its data sets: the streams' names. */
  readonly streams: readonly string[];
  /** What its cleaning made; empty where it began behind cleaning, or never came so far. */
  readonly made: readonly { readonly stream: string; readonly batchId: string; readonly sha256: string }[];
  /** Cleaning was on its way when it was stopped. */
  readonly cleaningCut: boolean;
}

/** What a cancelled run has removed. */
export interface Discarded {
  readonly tallies: readonly Tally[];
}
