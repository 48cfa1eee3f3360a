/** One job of Spark's. */
export interface SparkJob {
  /** What it was for: `judges rows`. */
  readonly step: string;
  readonly ms: number;
  readonly stages: number;
  readonly tasks: number;
}

/** One stage of Spark's: of its tasks nobody waits for another of them. */
export interface SparkStage {
  readonly step: string;
  /** Its number on Spark's own page. Spark's name for it would be the whole plan, with what stands in it. */
  readonly stage: number;
  /** From when it was handed in to its end. */
  readonly ms: number;
  readonly tasks: number;
  /** Tasks that failed, and were tried again. */
  readonly failedTasks: number;
  /** Of all tasks together. */
  readonly runMs: number;
  readonly readBytes: number;
  readonly shuffleReadBytes: number;
  readonly shuffleWriteBytes: number;
  /** What went to disk for lack of memory. */
  readonly spillBytes: number;
}

/** What Spark did for a run, by its own word. */
export interface SparkWork {
  /** The longest ones, the longest first. */
  readonly jobs: readonly SparkJob[];
  readonly stages: readonly SparkStage[];
  /** Over all of them, also those that are not listed. */
  readonly all: {
    readonly jobs: number;
    readonly stages: number;
    readonly tasks: number;
    readonly shuffleBytes: number;
    readonly spillBytes: number;
  };
}
