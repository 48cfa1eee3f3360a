import type { CalendarSpecDescription, ScheduleDescription } from '@temporalio/client';
import { decodeScheduleSpec, encodeScheduleSpec } from '@temporalio/client/lib/schedule-helpers.js';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { dayNames, monthNames, type Calendar } from '../../definition/calendar.ts';
import type { Json } from '../../definition/canonical-json.ts';
import { checkDefinition } from '../../definition/check-definition.ts';
import { overlapPolicies, type DesiredSchedule } from './desired.ts';
import { calendarWords, durationText, instantText, intervalWords } from './words.ts';

/** What makes up a schedule, as plain JSON in the words of a definition: two that mean the same are equal. */
export interface ScheduleForm {
  readonly [member: string]: Json | undefined;
}

export type Described = Pick<ScheduleDescription, 'spec' | 'action' | 'policies'>;

/** The form of a schedule as the server describes it. */
export function formOf({ spec, action, policies }: Described): ScheduleForm {
  const timeouts = {
    execution: milliseconds(action.workflowExecutionTimeout),
    run: milliseconds(action.workflowRunTimeout),
    // What the server fills in where nobody says anything.
    task: milliseconds(action.workflowTaskTimeout === 10_000 ? undefined : action.workflowTaskTimeout),
  };
  return plain({
    times: timesOf(spec),
    skip: (spec.skip ?? []).map((calendar) => calendarWords(valuesOf(calendar), everySecond)).toSorted(),
    timezone: zoneOf(spec),
    startAt: spec.startAt && instantText(spec.startAt),
    endAt: spec.endAt && instantText(spec.endAt),
    jitter: durationText(spec.jitter ?? 0),
    overlap: overlapText(policies.overlap),
    catchUp: durationText(policies.catchupWindow),
    pauseOnFailure: policies.pauseOnFailure,
    workflow: action.workflowType,
    workflowId: action.workflowId,
    taskQueue: action.taskQueue,
    summary: action.staticSummary,
    details: action.staticDetails,
    timeouts: Object.values(timeouts).some((ms) => ms !== undefined) ? timeouts : undefined,
    retry: action.retry,
    memo: Object.keys(action.memo ?? {}).length === 0 ? undefined : action.memo,
    input: action.args?.length === 1 ? inputForm(action.args[0]) : (action.args ?? []),
  });
}

/** The form that a schedule has once the server has taken it. */
export function desiredForm({ spec, action, policies }: DesiredSchedule): ScheduleForm {
  return formOf({
    spec: decodeScheduleSpec(encodeScheduleSpec(spec)),
    action: { ...action, args: [...(action.args ?? [])] } as Described['action'],
    policies: {
      overlap: policies.overlap ?? overlapPolicies.skip,
      catchupWindow: msToNumber(policies.catchupWindow ?? 0),
      pauseOnFailure: policies.pauseOnFailure === true,
    },
  });
}

/** The times of a schedule, in words and in a fixed order. */
export function timesOf({ intervals, calendars }: Described['spec']): string[] {
  return [
    ...(intervals ?? []).map(intervalWords),
    ...(calendars ?? []).map((calendar) => calendarWords(valuesOf(calendar))),
  ].toSorted();
}

/** The zone of a schedule's calendars; a schedule without one goes by UTC. */
export function zoneOf({ timezone }: Described['spec']): string {
  return timezone === undefined || timezone === '' ? 'UTC' : timezone;
}

/** A policy by its name in a definition. */
export function overlapText(policy: Described['policies']['overlap']): string {
  const known = Object.entries(overlapPolicies).find(([, value]) => value === policy);
  return known?.[0] ?? (policy === 'TERMINATE_OTHER' ? 'terminateOther' : String(policy));
}

function valuesOf(calendar: CalendarSpecDescription): Calendar & { readonly second: readonly number[] } {
  const spread = (ranges: readonly { start: number; end: number; step: number }[]): number[] => {
    const found = new Set<number>();
    for (const { start, end, step } of ranges) for (let at = start; at <= end; at += step) found.add(at);
    return [...found].toSorted((a, b) => a - b);
  };
  const numbered = (
    ranges: readonly { start: string; end: string; step: number }[],
    names: readonly string[],
    least: number,
  ): number[] =>
    spread(
      ranges.map(({ start, end, step }) => ({
        start: names.indexOf(start.toLowerCase()) + least,
        end: names.indexOf(end.toLowerCase()) + least,
        step,
      })),
    );
  return {
    second: spread(calendar.second),
    minute: spread(calendar.minute),
    hour: spread(calendar.hour),
    dayOfMonth: spread(calendar.dayOfMonth),
    month: numbered(calendar.month, monthNames, 1),
    dayOfWeek: numbered(calendar.dayOfWeek, dayNames, 0),
    year: spread(calendar.year),
  };
}

/** An input with its definition's defaults filled in: what an older version, or a person, left out means the same. */
function inputForm(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || !('pipeline' in input)) return input;
  const checked = checkDefinition(input.pipeline);
  return 'pipeline' in checked ? { ...input, pipeline: checked.pipeline } : input;
}

const everySecond = Array.from({ length: 60 }, (_, second) => second);
const milliseconds = (duration: string | number | undefined): number | undefined =>
  duration === undefined || msToNumber(duration) === 0 ? undefined : msToNumber(duration);
/** As JSON has it: `undefined` is not there. */
const plain = (value: unknown): ScheduleForm => JSON.parse(JSON.stringify(value)) as ScheduleForm;
