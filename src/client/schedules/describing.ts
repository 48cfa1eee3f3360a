import {
  WorkflowNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleExecutionResult,
  type ScheduleSummary,
} from '@temporalio/client';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { ids } from '../../definition/names.ts';
import { summaryOf } from '../run-list.ts';
import { formOf, overlapText, timesOf, zoneOf } from './form.ts';
import { durationText, instantText } from './words.ts';

/** One of the newest starts of a schedule, and what became of it. */
export interface ScheduledStart {
  readonly workflowId: string;
  /** Instant, ISO. */
  readonly startedAt: string;
  /** The hour that it launched; absent for maintenance. */
  readonly hour?: LogicalHour;
  /** Of the hour's newest run where there is one, else of what was started: `running`, `completed`, `unchanged`, `failed` … */
  readonly outcome: string;
}

/** A schedule as it stands, in the words of a definition. Instants are ISO texts, UTC. */
export interface ScheduleView {
  readonly scheduleId: string;
  /** The pipeline that it starts, by its definition; absent where that cannot be read. */
  readonly pipeline?: string;
  readonly starts: string;
  readonly paused: boolean;
  readonly note?: string;
  readonly times: readonly string[];
  readonly skip: readonly string[];
  readonly timezone: string;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly jitter: string;
  readonly overlap: string;
  readonly catchUp: string;
  readonly pauseOnFailure: boolean;
  /** The next five; none where it has ended. A paused schedule lets them pass. */
  readonly next: readonly string[];
  /** The newest ten, the newest first. */
  readonly recent: readonly ScheduledStart[];
  /** Ids of what it started and still follows: launches that wait for their run. */
  readonly running: readonly string[];
  /** Starts that wait for a running one to end. */
  readonly waiting: number;
  readonly counts: {
    readonly started: number;
    /** Missed, and too long ago to be made up for. */
    readonly missed: number;
    /** Not started because another one ran. */
    readonly skipped: number;
    /** Not started because too many waited. */
    readonly dropped: number;
  };
  readonly createdAt: string;
  readonly changedAt?: string;
}

/** A line of the list of schedules. It may be some seconds behind. */
export interface ScheduleListed {
  readonly scheduleId: string;
  /** What it starts: `launch` or `maintenance`. */
  readonly starts: string;
  readonly paused: boolean;
  readonly note?: string;
  readonly times: readonly string[];
  readonly timezone: string;
  readonly next?: string;
  readonly last?: string;
}

/** The workflows that schedules of ours start. */
export const startedBySchedules: readonly string[] = ['launch', 'maintenance'];
const SHOWN = 5;

/** Everything there is to say of a schedule. */
export async function viewOf(client: Client, description: ScheduleDescription): Promise<ScheduleView> {
  const { scheduleId, spec, action, policies, state, info, raw } = description;
  const form = formOf(description);
  const pipeline = pipelineIn(action.args?.[0]);
  const text = (key: 'startAt' | 'endAt'): object => (form[key] === undefined ? {} : { [key]: form[key] });
  return {
    scheduleId,
    ...(pipeline === undefined ? {} : { pipeline }),
    starts: action.workflowType,
    paused: state.paused,
    ...noteOf(state),
    times: timesOf(spec),
    skip: form['skip'] as string[],
    timezone: zoneOf(spec),
    ...text('startAt'),
    ...text('endAt'),
    jitter: durationText(spec.jitter ?? 0),
    overlap: overlapText(policies.overlap),
    catchUp: durationText(policies.catchupWindow),
    pauseOnFailure: policies.pauseOnFailure,
    next: info.nextActionTimes.slice(0, SHOWN).map(instantText),
    recent: await Promise.all(
      info.recentActions
        .toReversed()
        .map((start) => startOf(client, start, action.workflowType === 'launch' ? pipeline : undefined)),
    ),
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    waiting: Number(raw.info?.bufferSize ?? 0),
    counts: {
      started: info.numActionsTaken,
      missed: info.numActionsMissedCatchupWindow,
      skipped: info.numActionsSkippedOverlap,
      dropped: Number(raw.info?.bufferDropped ?? 0),
    },
    createdAt: instantText(info.createdAt),
    ...(info.lastUpdatedAt ? { changedAt: instantText(info.lastUpdatedAt) } : {}),
  };
}

export function listedOf({ scheduleId, spec, action, state, info }: ScheduleSummary): ScheduleListed {
  const [next] = info.nextActionTimes;
  const last = info.recentActions.at(-1);
  return {
    scheduleId,
    starts: action?.workflowType ?? '',
    paused: state.paused,
    ...noteOf(state),
    times: spec ? timesOf(spec) : [],
    timezone: spec ? zoneOf(spec) : 'UTC',
    ...(next ? { next: instantText(next) } : {}),
    ...(last ? { last: instantText(last.takenAt) } : {}),
  };
}

/** The hour that a schedule's start launches: the server puts the nominal time behind the id, without the jitter. */
export function hourOfStart(workflowId: string): LogicalHour | undefined {
  const [, time] = /-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(workflowId) ?? [];
  return time === undefined ? undefined : toLogicalHour(time);
}

/** The name of the pipeline that an input is about. */
export function pipelineIn(input: unknown): string | undefined {
  const { pipeline } = (input ?? {}) as { pipeline?: { name?: unknown } };
  return typeof pipeline?.name === 'string' ? pipeline.name : undefined;
}

async function startOf(
  client: Client,
  { action, takenAt }: ScheduleExecutionResult,
  pipeline: string | undefined,
): Promise<ScheduledStart> {
  const { workflowId, firstExecutionRunId } = action.workflow;
  const hour = pipeline === undefined ? undefined : hourOfStart(workflowId);
  const run =
    hour === undefined || pipeline === undefined
      ? undefined
      : await outcomeOf(client, ids.pipeline(pipeline, hour), undefined);
  return {
    workflowId,
    startedAt: instantText(takenAt),
    ...(hour === undefined ? {} : { hour }),
    outcome: run ?? (await outcomeOf(client, workflowId, firstExecutionRunId)) ?? 'forgotten',
  };
}

/** @returns undefined where Temporal knows no such workflow, or no more */
async function outcomeOf(client: Client, workflowId: string, runId: string | undefined): Promise<string | undefined> {
  try {
    const found = await client.workflow.getHandle(workflowId, runId).describe();
    return summaryOf(found)?.outcome ?? found.status.name.toLowerCase();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** The note of a schedule, where there is one. */
export const noteOf = ({ note }: { note?: string | undefined }): { note?: string } =>
  note === undefined || note === '' ? {} : { note };
