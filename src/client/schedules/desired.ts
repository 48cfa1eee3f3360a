import {
  ScheduleOverlapPolicy,
  type CalendarSpec,
  type DayOfWeek,
  type Month,
  type ScheduleOptions,
  type ScheduleOptionsAction,
} from '@temporalio/client';
import { dayNames, monthNames, rangesOf, type Calendar } from '../../definition/calendar.ts';
import { durationMs } from '../../definition/duration.ts';
import { ids, taskQueues } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { calendarsOf, skippedOf, type Overlap, type ScheduleSection } from '../../definition/schedule.ts';
import type { MaintenanceInput } from '../../workflows/maintenance-messages.ts';
import type { LaunchInput } from '../../workflows/messages.ts';

/** A Temporal schedule as a definition wants it. */
export interface DesiredSchedule {
  readonly scheduleId: string;
  readonly spec: ScheduleOptions['spec'];
  readonly action: ScheduleOptionsAction & { readonly workflowId: string; readonly workflowType: string };
  readonly policies: NonNullable<ScheduleOptions['policies']>;
  /** For one that is new; later it stays as people left it. */
  readonly paused: boolean;
}

export const overlapPolicies = {
  allowAll: ScheduleOverlapPolicy.ALLOW_ALL,
  skip: ScheduleOverlapPolicy.SKIP,
  bufferOne: ScheduleOverlapPolicy.BUFFER_ONE,
  bufferAll: ScheduleOverlapPolicy.BUFFER_ALL,
  cancelOther: ScheduleOverlapPolicy.CANCEL_OTHER,
} as const satisfies Record<Overlap, ScheduleOverlapPolicy>;

/** The schedule of a pipeline's hours. */
export function desiredSchedule(pipeline: Pipeline): DesiredSchedule {
  const { schedule } = pipeline;
  // Temporal follows the launch, and not the run that it starts: where it is to wait for a run, or notice that one failed, the launch does.
  const wait = schedule.pauseOnFailure || schedule.overlap !== 'allowAll';
  const input: LaunchInput = { pipeline, ...(wait ? { wait } : {}) };
  return {
    scheduleId: ids.schedule(pipeline.name),
    spec: specOf(schedule),
    action: {
      type: 'startWorkflow',
      workflowType: 'launch',
      workflowId: ids.launchPrefix(pipeline.name),
      taskQueue: taskQueues.light,
      args: [input],
      staticSummary: `Launches the hourly run of ${pipeline.name}`,
    },
    policies: {
      overlap: overlapPolicies[schedule.overlap],
      // The server's own would be a year.
      catchupWindow: durationMs(schedule.catchUp),
      pauseOnFailure: schedule.pauseOnFailure,
    },
    paused: schedule.paused,
  };
}

/** The schedule of the daily work on what is stored; none where the definition asks for none. */
export function desiredMaintenance(pipeline: Pipeline): DesiredSchedule | undefined {
  const { offset, paused, compact, gc } = pipeline.maintenance;
  if (!compact && !gc && pipeline.keep.hours === undefined) return undefined;
  const scheduleId = ids.maintenance(pipeline.name);
  const input: MaintenanceInput = { pipeline };
  return {
    scheduleId,
    spec: { intervals: [{ every: '1d', offset: durationMs(offset) }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'maintenance',
      workflowId: scheduleId,
      taskQueue: taskQueues.light,
      args: [input],
      staticSummary: `Daily maintenance of ${pipeline.name}`,
    },
    // One that was missed is made up for by the next.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '12h', pauseOnFailure: false },
    paused,
  };
}

function specOf(schedule: ScheduleSection): ScheduleOptions['spec'] {
  const { every, offset, timezone, startAt, endAt, jitter } = schedule;
  const calendars = calendarsOf(schedule).map(({ calendar, text }) => ({
    ...calendarSpec(calendar),
    second: 0,
    ...(text === undefined ? {} : { comment: text }),
  }));
  const skip = skippedOf(schedule).map((calendar) => ({ ...calendarSpec(calendar), second: '*' as const }));
  return {
    ...(every === undefined ? {} : { intervals: [{ every: durationMs(every), offset: durationMs(offset) }] }),
    ...(calendars.length === 0 ? {} : { calendars }),
    ...(skip.length === 0 ? {} : { skip }),
    ...(timezone === 'UTC' ? {} : { timezone }),
    ...(startAt === undefined ? {} : { startAt: new Date(startAt) }),
    ...(endAt === undefined ? {} : { endAt: new Date(endAt) }),
    ...(durationMs(jitter) === 0 ? {} : { jitter: durationMs(jitter) }),
  };
}

function calendarSpec({ minute, hour, dayOfMonth, month, dayOfWeek, year }: Calendar): CalendarSpec {
  const named = <Name extends string>(values: readonly number[], names: readonly string[], least: number) =>
    rangesOf(values).map(({ start, end, step }) => ({
      start: (names[start - least] ?? '').toUpperCase() as Name,
      end: (names[end - least] ?? '').toUpperCase() as Name,
      step,
    }));
  return {
    minute: rangesOf(minute),
    hour: rangesOf(hour),
    dayOfMonth: rangesOf(dayOfMonth),
    month: named<Month>(month, monthNames, 1),
    dayOfWeek: named<DayOfWeek>(dayOfWeek, dayNames, 0),
    year: year.length === 0 ? '*' : rangesOf(year),
  };
}
