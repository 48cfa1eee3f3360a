import type { LogicalHour } from '../definition/hour.ts';
import type { Fact, MonitorRule, Severity } from '../definition/incidents.ts';
import type { StartStage } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { CleanResult, Equation, FileAccount, IdentityChecksum, ObjectRef, RowCounts } from '../definition/refs.ts';
import type { ServerLines } from '../definition/server-lines.ts';
import type { RunTiming, StageTimes } from '../definition/timing.ts';
import type { MadeStale, Discarded } from './io.ts';

export interface StageTiming {
  readonly stage: string;
  readonly startedAt: string;
  readonly ms: number;
  /** What it took in or gave out, over all data sets, where it counts rows; over its time they are its rate. */
  readonly rows?: number;
  /** Where its time went. Reports of older versions have none, nor have stages that asked nobody for anything. */
  readonly times?: StageTimes;
}

/** A finding of a monitor in numbers, in the unit of what it watches: rows, parts of 1, seconds, hours. */
export interface AnomalyNumbers {
  readonly found?: number;
  readonly expected?: number;
  /** How often what usually lies between found and expected lies between them now. */
  readonly deviations?: number;
  /** Earlier runs that it was compared with. */
  readonly runs?: number;
  /** The fixed bound that it is beyond. */
  readonly bound?: number;
}

/** Something odd about a run, by the runs before it. */
export interface Anomaly {
  readonly rule: MonitorRule;
  /** Which of several: a column, a stage. */
  readonly subject?: string;
  readonly severity: Severity;
  /** What was found, what is usual, and how far it is off. */
  readonly sentence: string;
  /** The same for people, one by one: `found`, `usual`, `off by`, `odd`, `compared with`, `bound`, …. Reports of older versions have neither. */
  readonly facts?: readonly Fact[];
  readonly numbers?: AnomalyNumbers;
  /** Nobody is told of it. */
  readonly muted?: true;
}

/** The report of one attempt at an hour: `run.json`. */
export interface RunReport {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly workflowId: string;
  readonly runId: string;
  /** Its trace in OpenTelemetry, where somebody keeps that. */
  readonly trace?: string;
  readonly outcome: 'completed' | 'unchanged' | 'failed' | 'cancelled';
  readonly startedAt: string;
  readonly endedAt: string;
  /** The stage that the run was to begin at; left out where it was told nothing of it. */
  readonly startFrom?: StartStage;
  readonly stages: readonly StageTiming[];
  readonly source?: {
    readonly address: string;
    readonly fetchedAt: string;
    readonly raw: ObjectRef;
    /** What the source said of its version. Reports of older versions have none; empty where the source said nothing. */
    readonly validators?: { readonly etag?: string; readonly lastModified?: string };
    readonly replayed: boolean;
    readonly unknownColumns: readonly string[];
    /** Each file by name, with its rows; the first hundred. */
    readonly files?: readonly (FileAccount & { readonly name: string })[];
    readonly fileCount?: number;
    /** The source said that it had not changed since this hour's import. */
    readonly notModifiedSince?: LogicalHour;
    /** What a reader should know of the import. */
    readonly notes?: readonly string[];
  };
  /** What `prepare` made or changed, and what stands otherwise than the definition says; left out where there is neither. */
  readonly prepared?: { readonly changes: readonly string[]; readonly warnings: readonly string[] };
  /** Version of each data set's columns as they are landed. Reports of older versions have none. */
  readonly schemas?: Readonly<Record<string, string>>;
  readonly clean?: Pick<CleanResult, 'engine' | 'quality' | 'rejectedBy' | 'spark'> & {
    /** By data set: rows, the hash of its clean.csv, the checksum of its keys. Reports of older versions have none, or no checksum. */
    readonly datasets?: Readonly<
      Record<string, { readonly rows: RowCounts; readonly sha256: string; readonly checksum?: IdentityChecksum }>
    >;
  };
  readonly generations: Readonly<Record<string, number>>;
  readonly batches: Readonly<Record<string, string>>;
  readonly equations: readonly Equation[];
  readonly sameAs?: LogicalHour;
  /** Under `duplicates.acrossRuns`, where there are any. */
  readonly madeStale?: MadeStale;
  /** Of a run that was cancelled: what it removed, where there was anything, or why it could not. */
  readonly discarded?: Discarded & { readonly failed?: { readonly code: string; readonly message: string } };
  /** What the monitors found odd, the worst first, fifty at most; left out where they did not look. */
  readonly anomalies?: readonly Anomaly[];
  /** How many series were judged, of how many too little is known yet, and how many earlier runs there were to compare with. */
  readonly watched?: { readonly judged: number; readonly learning: number; readonly runs: number };
  /** What came near a limit on the way; sentences. Left out where there are none. */
  readonly warnings?: readonly string[];
  /** Of the local stack's servers: what they warned of while the run was on its way, twenty lines each. Only in what is stored, and only where there is something. */
  readonly servers?: readonly ServerLines[];
  readonly error?: { readonly code: string; readonly stage: string; readonly message: string };
  /** Where the time went, and what took most of it. Reports of older versions have none, nor have those that nobody could judge in time. */
  readonly timing?: RunTiming;
}

/** What an alert tells of a run: one that failed, or one that is on its way. */
export type Alerted = Pick<RunReport, 'pipeline' | 'hour' | 'workflowId' | 'runId' | 'stages' | 'error'>;

export interface AlertInput {
  readonly pipeline: Pipeline;
  /** Of a run that is over the whole of it is there. */
  readonly report: Alerted & Partial<Omit<RunReport, keyof Alerted>>;
  /** What is told once an hour; the error's code where left out. */
  readonly subject?: string;
}
