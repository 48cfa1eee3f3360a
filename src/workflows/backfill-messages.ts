import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BackfillPlan } from '../activities/index.ts';
import type { BackfillChoice, BackfillOrder } from '../definition/backfill.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { StartStage } from '../definition/names.ts';
import type { PipelineInput } from '../definition/pipeline.ts';

/** What `backfill` is started with: by a client, the CLI or the Web UI. */
export interface BackfillInput {
  /** As people write it: what is left out is filled in. */
  readonly pipeline: PipelineInput;
  /** The first hour of the range, like `2026-11-24T03`. */
  readonly from: LogicalHour;
  /** The last one, itself among them; it must have begun. */
  readonly to: LogicalHour;
  /** Which of its hours are run. @default `notDone`; `all` where `refetch` or `startFrom` is given, as for a run of one hour */
  readonly only?: BackfillChoice;
  /** So many runs at a time, 1 to 50. @default 4; with `duplicates.acrossRuns` always 1, as such hours are cleaned one after the other */
  readonly parallel?: number;
  /** @default `oldest`; `newest` is refused with `duplicates.acrossRuns` */
  readonly order?: BackfillOrder;
  /** Every hour of the range, whether the schedule starts one in it or not. */
  readonly everyHour?: boolean;
  /** As for a run: an hour that is over may take what the source holds now. */
  readonly useCurrent?: boolean;
  /** As for a run: ask the source again although an hour has been imported. */
  readonly refetch?: boolean;
  /** As for a run: begin each hour at this stage. */
  readonly startFrom?: StartStage;
  /** Start no more once so many hours have failed. Left out: go on to the end. */
  readonly stopAfter?: number;
  /** Say how the hours stand, and start nothing. */
  readonly dryRun?: boolean;
  /** Continue as new after so many history events, where the server does not say so first. Tests set it. */
  readonly maxHistory?: number;
  /** What a backfill hands on when it continues as new; nobody else sets it. */
  readonly carried?: BackfillCarried;
}

/** An hour that did not go through. */
export interface BackfillFailure {
  readonly hour: LogicalHour;
  readonly code: string;
  readonly message: string;
}

/** Where a backfill stands. */
export interface BackfillProgress {
  readonly pipeline: string;
  readonly from: LogicalHour;
  readonly to: LogicalHour;
  /** `stopping`: so many hours have failed that no more are started; those that run end first. */
  readonly mode: 'planning' | 'running' | 'paused' | 'stopping' | 'cancelling' | 'over';
  readonly order: BackfillOrder;
  readonly parallel: number;
  /** How the hours of the range stood when it began, by state. */
  readonly found: BackfillPlan['found'];
  readonly warnings: readonly string[];
  /** So many hours it is to run. */
  readonly hours: number;
  /** Of these: it ran them, and they went through. */
  readonly done: number;
  /** Someone else had run them meanwhile, or was running them, and they went through. */
  readonly joined: number;
  readonly failed: number;
  /** Their run was cancelled. */
  readonly cancelled: number;
  readonly left: number;
  readonly running: readonly LogicalHour[];
  /** Why it starts no more for now although it is not paused, where that is so. */
  readonly waiting?: string;
  /** Rows of the main data set that are indexed, over the hours that it ran. */
  readonly rows: number;
  readonly startedAt: string;
  /** Hours that ended in an hour of its own time, pauses left out; absent until the first. */
  readonly perHour?: number;
  /** When it will be through if it goes on like this. */
  readonly estimatedEnd?: string;
  /** The first 100 that failed, in the order in which they did. */
  readonly failures: readonly BackfillFailure[];
}

/** What a backfill came to. `failed`: hours of it did. `stopped`: after `stopAfter` of them; the others were not started. */
export interface BackfillReport extends Omit<BackfillProgress, 'mode' | 'running' | 'waiting' | 'estimatedEnd'> {
  readonly outcome: 'completed' | 'failed' | 'stopped' | 'cancelled' | 'planned';
  readonly endedAt: string;
  /** Of a dry run: how the hours stand, and which would be run. */
  readonly plan?: BackfillPlan;
}

/** What becomes of the runs that are on their way. */
export interface BackfillCancel {
  /**
   * `finish` lets them end, and the backfill ends after them: what they have done so far is not thrown away. `cancel` cancels
   * those that it started. @default finish
   */
  readonly runs?: 'finish' | 'cancel';
}

/** Counts and hours as they go from one execution of a backfill to the next. */
export interface BackfillCarried {
  readonly found: BackfillPlan['found'];
  readonly warnings: readonly string[];
  readonly hours: number;
  readonly queue: readonly string[];
  readonly counts: BackfillCounts;
  readonly failures: readonly BackfillFailure[];
  readonly startedAt: string;
  readonly workedMs: number;
  readonly paused: boolean;
}

export interface BackfillCounts {
  readonly done: number;
  readonly joined: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly rows: number;
}

export const backfillProgressQuery = defineQuery<BackfillProgress>('progress');
export const pauseBackfillUpdate = defineUpdate<BackfillProgress>('pause');
export const resumeBackfillUpdate = defineUpdate<BackfillProgress>('resume');
export const cancelBackfillUpdate = defineUpdate<BackfillProgress, [BackfillCancel?]>('cancel');
export const pauseBackfillSignal = defineSignal('pause');
export const resumeBackfillSignal = defineSignal('resume');
export const cancelBackfillSignal = defineSignal<[BackfillCancel?]>('cancel');
