import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ConsumeInput, LossInput, RebuildPlan, Rebuilt, RunReport, StageTiming } from '../activities/index.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { Pipeline, PipelineInput } from '../definition/pipeline.ts';
import type { ProfiledStage, StartStage } from '../definition/names.ts';
import type { Problem } from './failure.ts';

export type { LossInput, RunReport } from '../activities/index.ts';

/** What `launch` is started with: by the schedule, a client, the CLI or the Web UI. */
export interface LaunchInput {
  /** As people write it: what is left out is filled in. */
  readonly pipeline: PipelineInput;
  /** The hour to run; the scheduled time's, or else the current one, where left out. */
  readonly hour?: LogicalHour;
  /** Run the hour although it is done. */
  readonly force?: boolean;
  /** Ask the source again although the hour has been imported; implies `force`. */
  readonly refetch?: boolean;
  /** An hour that is over may take what the source holds now. */
  readonly useCurrent?: boolean;
  /** Begin at this stage, with what the hour has stored of those before it; implies `force`. `import` is as `refetch`. */
  readonly startFrom?: StartStage;
  /** Store a CPU profile of this stage; the report says where it is. */
  readonly profile?: ProfiledStage;
  /**
   * End when the run has ended, and as it did. A schedule asks for it where it is to notice: `pauseOnFailure`, and any overlap policy
   * but ALLOW_ALL. A launch that is cancelled cancels its run then.
   */
  readonly wait?: boolean;
}

/** `joined`: the hour runs already, or is done, in which case its report is here. With `wait` the report always is. */
export interface LaunchResult {
  readonly outcome: 'started' | 'joined';
  readonly hour: LogicalHour;
  readonly workflowId: string;
  readonly report?: RunReport;
}

/** What one run of an hour is started with. */
export interface RunInput {
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  readonly force: boolean;
  readonly refetch: boolean;
  readonly useCurrent: boolean;
  readonly startFrom?: StartStage;
  readonly profile?: ProfiledStage;
}

/** A stage that a run has been through. Where its time went is in the report. */
export type StageProgress = Omit<StageTiming, 'times'>;

/** What last failed a stage of a run, or one of its attempts, and when. */
export type LastError = Problem & { readonly stage: string; readonly at: string };

/** How far a run is: what the live view shows, and what `pause`, `resume` and `cancel` answer. */
export interface RunProgress {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  /** `pausing`: it pauses once the stage that is on its way is through. A run that is over has none. */
  readonly mode?: 'running' | 'pausing' | 'paused' | 'cancelling';
  readonly stages: readonly StageProgress[];
  readonly current?: string;
  /** Why the run waits, where it does: `paused consumer of broadband`. */
  readonly waiting?: string;
  /**
   * What last failed a stage or one of its attempts. The run itself learns of a stage that failed for good; of attempts that are followed
   * by another Temporal alone knows, and `client.runs.progress` adds them.
   */
  readonly lastError?: LastError;
}

/** A report as it stands: of a run that is on its way, `outcome` and `endedAt` are missing. */
export type ReportSoFar = Omit<RunReport, 'outcome' | 'endedAt'> & Partial<Pick<RunReport, 'outcome' | 'endedAt'>>;

/** What `reindex` is started with: by a client, the CLI or the Web UI. */
export interface ReindexInput {
  /** As people write it: what is left out is filled in. */
  readonly pipeline: PipelineInput;
  /** Say what it comes to, and do nothing. */
  readonly dryRun?: boolean;
  /** Leave the old indices there, under their own names. */
  readonly keepOld?: boolean;
}

/** What a rebuild came to, data set by data set. */
export interface ReindexReport {
  readonly pipeline: string;
  readonly dryRun: boolean;
  readonly plans: readonly RebuildPlan[];
  /** Empty in a dry run. */
  readonly rebuilt: readonly Rebuilt[];
}

export interface ConsumerInput {
  readonly consume: ConsumeInput;
  readonly paused?: boolean;
  /** Whom its pipeline tells of problems. Consumers from before there were incidents learn it from the next run. */
  readonly alerts?: Pipeline['alerts'];
  /** It had halted, and has not read for long enough since. */
  readonly halted?: boolean;
  /** For how long it has to read until that is over, in milliseconds, where that is not a minute. Tests set it. */
  readonly checkedMs?: number;
  /** Continue as new after so many history events, where the server does not say so first. Tests set it. */
  readonly maxHistory?: number;
}

/** Where a consumer stands. `halted`: going on would lose rows, so it waits for a person. */
export interface ConsumerState {
  readonly mode: 'running' | 'paused' | 'draining' | 'halted';
  readonly stream: string;
  readonly topic: string;
  readonly epoch: string;
  readonly life: number;
  /** Which of how many; 0 of 1 where the partitions are not shared. */
  readonly shard?: number;
  readonly shards?: number;
  readonly problem?: { readonly code: string; readonly message: string };
}

/** What `acceptLoss` answers: where the consumer stands, and the range that was given up. */
export type LossAccepted = ConsumerState & { readonly accepted: LossInput };

/** Told to a run when a batch of it has landed. `storeMs`: how long the consumer waited for the object store since the batch before it. */
export const landedSignal = defineSignal<[{ batch: string; storeMs?: number }]>('landed');
/** How far a run is. */
export const progressQuery = defineQuery<RunProgress>('progress');
/** The report as it stands; the whole one once the run is over. */
export const reportQuery = defineQuery<ReportSoFar>('report');
/** What last failed a stage; null where nothing has. An object around it, since the temporal command shows a bare null as its encoding. */
export const lastErrorQuery = defineQuery<{ readonly lastError: LastError | null }>('lastError');
/** Steer a run; signals of the same names do the same without an answer. */
export const pauseRunUpdate = defineUpdate<RunProgress>('pause');
export const resumeRunUpdate = defineUpdate<RunProgress>('resume');
export const cancelRunUpdate = defineUpdate<RunProgress>('cancel');
export const cancelRunSignal = defineSignal('cancel');

/** Gives a consumer its topic's newest epoch, the definition's newest limits, and whom that tells of problems. An older epoch than its own is ignored. */
export const adoptSignal = defineSignal<[ConsumeInput, Pipeline['alerts']?]>('adopt');
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');
export const drainSignal = defineSignal('drain');
export const acceptLossSignal = defineSignal<[LossInput]>('acceptLoss');
export const pauseUpdate = defineUpdate<ConsumerState>('pause');
export const resumeUpdate = defineUpdate<ConsumerState>('resume');
export const drainUpdate = defineUpdate<ConsumerState>('drain');
/** Gives up offsets in front of which the consumer has halted, and reads on behind them. */
export const acceptLossUpdate = defineUpdate<LossAccepted, [LossInput]>('acceptLoss');
export const consumerStateQuery = defineQuery<ConsumerState>('state');
