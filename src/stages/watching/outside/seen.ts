import type { LogicalHour } from '../../../definition/hour.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';

/** A schedule of a pipeline's hours, as Temporal has it. Times are milliseconds since 1970. */
export interface SeenSchedule {
  readonly pipeline: string;
  /** What it starts its hours with; undefined where that is no sound definition. */
  readonly definition?: Pipeline;
  readonly paused: boolean;
  readonly note?: string;
  readonly createdAt: number;
  /** When anything of it was last changed, if only whom to tell. */
  readonly changedAt: number;
  /** The next times, with their jitter. */
  readonly next: readonly number[];
  /** How many it may still start, where somebody has limited that. */
  readonly remaining?: number;
  readonly counts: { readonly missed: number; readonly skipped: number };
}

/** A consumer that runs. */
export interface SeenConsumer {
  readonly workflowId: string;
  readonly pipeline: string;
  readonly stream: string;
  readonly shard: number;
  /** What reads for it; undefined while it is paused, has halted, or is on its way out. */
  readonly reading?: {
    readonly topic?: string;
    /** Next offset to land, and to read, by partition. */
    readonly positions: Readonly<Record<string, string>>;
    readonly next: Readonly<Record<string, string>>;
    /** Of its newest heartbeat; undefined where no worker has it now. Milliseconds since 1970. */
    readonly beatAt?: number;
    /** Why its last attempt failed, where it is tried again. */
    readonly failure?: string;
  };
}

/** A run of an hour that is on its way. */
export interface SeenRun {
  readonly workflowId: string;
  readonly pipeline: string;
  readonly hour: LogicalHour;
}
