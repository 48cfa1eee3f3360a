/** What an attempt at a stage can wait for. `engine`: what cleans, beside the worker's own thread; `limit`: the definition's own. */
export const waitedOn = ['source', 'broker', 'store', 'search', 'spark', 'engine', 'limit'] as const;

export type WaitedOn = (typeof waitedOn)[number];

/** What came of waiting for one of them. */
export interface ServerUse {
  /**
   * Milliseconds in which the worker's thread had nothing else to do. Requests side by side count once, and of two servers that were
   * waited for at the same time each has its half, so all of them together are never more than the attempt took.
   */
  readonly ms: number;
  readonly requests: number;
  /** The longest request, from its beginning to its end. */
  readonly longestMs: number;
  /** Both ways, as far as it is known. */
  readonly bytes: number;
  /** Milliseconds that the server asked us to hold back: a broker's quota. Left out where there were none. */
  readonly throttledMs?: number;
}

/** Where the time of something went that ran. Milliseconds. */
export interface Spent {
  /** In which the worker's thread was busy, with this or with others at its side. */
  readonly busyMs: number;
  /** Processor time of the worker's whole process meanwhile: of all its threads, and more than the time itself where several worked. */
  readonly cpuMs: number;
  readonly on: Partial<Readonly<Record<WaitedOn, ServerUse>>>;
}

/** The last attempt at an activity, as the worker knows it. Milliseconds. */
export interface AttemptTiming extends Spent {
  /** From when it could have begun to when it did. */
  readonly queueMs: number;
  readonly runMs: number;
  /** From when the first attempt could have begun to when this one could: failed attempts, and the times between them. */
  readonly retryMs: number;
  /** Attempts that failed, by code. `NoAnswer`: their worker was lost, or did not say. */
  readonly failed: Readonly<Record<string, number>>;
  /** Its CPU profile, where one was asked for. */
  readonly profile?: string;
}

/**
 * Where the time of a stage went. Where several data sets went through it side by side, that of the one which took longest: it is on
 * the critical path. Milliseconds; queue, run, retry and wait together are never more than the stage took.
 */
export interface StageTimes extends Spent {
  /** Waited for a free place on a worker. */
  readonly queueMs: number;
  /** Of attempts that went through. */
  readonly runMs: number;
  /** Failed attempts, and the times between them. */
  readonly retryMs: number;
  /** Waited on purpose: for a turn, a slot, a paused consumer. */
  readonly waitMs: number;
  /** What for, at the end of it. */
  readonly waitedFor?: string;
  /** How long the consumer that it waited for waited for the object store; may have begun before the stage. */
  readonly consumerStoreMs?: number;
  /** Held by a person's pause in front of the stage: not among what it took. */
  readonly heldMs?: number;
  /** Attempts that failed, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Which data set that was, where there was more than one: its topic, stream or index. */
  readonly longest?: string;
  /** Its CPU profile, where one was asked for: an object. */
  readonly profile?: string;
  /** How many went side by side. */
  readonly sideBySide?: number;
}

/** Under which an attempt's timing travels in its result, and as second of its failure's details. */
export const TIMING = 'attemptTiming';

/** Member of an activity's input that asks for a profile of it, by the name of the stage. */
export const PROFILE = 'profileStage';

/** Stands for the code of attempts whose worker was lost, or did not say why they failed. */
export const NO_ANSWER = 'NoAnswer';

/**
 * What a run's time can go to. `queue`: no free place on a worker; `processor`: the worker's own work; `wait`: on purpose; `limit`: the
 * definition's own rate; `temporal`: between steps; `other`: an attempt that waited for none of these, as for its own files; `untold`:
 * stages whose worker did not say.
 */
export const causes = [
  ...(['source', 'broker', 'store', 'search', 'spark', 'consumer', 'processor'] as const),
  ...(['queue', 'retries', 'wait', 'limit', 'temporal', 'other', 'untold'] as const),
] as const;

export type Cause = (typeof causes)[number];

/** Where most of a run's time went. */
export interface Bottleneck {
  readonly cause: Cause;
  /** Where most of it was. */
  readonly stage: string;
  readonly ms: number;
  /** Of the run, 0 to 1. */
  readonly share: number;
  /** The same in the runs before it, their median. Absent where there are none that tell. */
  readonly usual?: number;
  readonly sentence: string;
  /** Figures that it rests on; sentences. */
  readonly evidence: readonly string[];
  readonly suggestion: string;
}

/** What a stage took in the runs before; medians, milliseconds. */
export interface UsualStage {
  readonly stage: string;
  readonly runs: number;
  readonly ms: number;
  /** Absent where no run told. */
  readonly parts?: Readonly<Record<'queueMs' | 'runMs' | 'retryMs' | 'waitMs', number>>;
  /** Rows a second. */
  readonly rowsPerSecond?: number;
}

/** Where a run's time went, and how that was in the runs before. */
export interface RunTiming {
  /** Runs that it is compared with: the last of the pipeline that came to the same end. */
  readonly runs: number;
  /** What those took, their median. Milliseconds. */
  readonly usualMs?: number;
  /** Milliseconds by what they went to; together never more than the run took. */
  readonly causes: Partial<Readonly<Record<Cause, number>>>;
  readonly usual: readonly UsualStage[];
  readonly bottleneck?: Bottleneck;
  /** Of a run that took much longer than the others: what made it so. A sentence. */
  readonly slower?: string;
  /** What the servers said of themselves when the run was over; sentences, by server. */
  readonly servers?: Partial<Readonly<Record<WaitedOn, readonly string[]>>>;
  /** Counters of the servers, for the next run to compare with. */
  readonly counters?: Readonly<Record<string, number>>;
}
