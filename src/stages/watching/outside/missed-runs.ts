import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../definition/canonical-json.ts';
import { durationMs } from '../../../definition/duration.ts';
import { toLogicalHour, type LogicalHour } from '../../../definition/hour.ts';
import type { Clearing, Observation } from '../../../definition/incidents.ts';
import type { ScheduleSection } from '../../../definition/schedule.ts';
import { startsIn } from '../../../definition/scheduled-hours.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';
import type { WatchSettings } from '../../../definition/watch.ts';
import type { PipelineMemory } from './memory.ts';
import type { SeenSchedule } from './seen.ts';

const HOUR = 3_600_000;
/** Nobody wants to be told of what did not start longer ago than that. */
const LOOKS_BACK_MS = 24 * HOUR;
/** Each is asked for at each look. */
const MOST_MISSED = 24;
/** So many hours a sentence names. */
const NAMED = 5;
/** Of a time that is near it cannot be said whether it is the next one. */
const NEAR_MS = 60_000;

export type MissedMemory = Pick<
  PipelineMemory,
  'judgedTo' | 'times' | 'missed' | 'missedAt' | 'pending' | 'counts' | 'skips'
>;
type Counts = SeenSchedule['counts'];
type Skips = NonNullable<PipelineMemory['skips']>;

export interface MissedInput {
  readonly schedule: SeenSchedule;
  readonly memory: MissedMemory;
  readonly settings: WatchSettings;
  /** Since when this is looked at without a gap, and now: milliseconds since 1970. */
  readonly lookingSince: number;
  readonly now: number;
  /** A queue that starts need has no worker: that is told, and what waits for it will start. */
  readonly waits: boolean;
  /** Whether a run of the hour was ever there. @throws where that cannot be said */
  readonly ran: (hour: LogicalHour) => Promise<boolean>;
}

export interface MissedNews {
  readonly memory: MissedMemory;
  readonly observations: readonly Observation[];
  readonly clearings: readonly Clearing[];
  /** Why it could not be looked at. */
  readonly unknown?: string;
}

/** Times at which a schedule was to start an hour that did not start, and those that did since. What was due before the first look is nobody's concern. */
export async function missedRuns(input: MissedInput): Promise<MissedNews> {
  const { schedule, settings, now, ran } = input;
  const { pipeline, definition, counts } = schedule;
  const at = new Date(now).toISOString();
  // However its schedule stands, somebody may have run them.
  const told = input.memory.missed ?? [];
  const { lacking: missed } = await startedOf(told, ran);
  const memory = { ...input.memory, ...(told.length > 0 ? { missed } : {}) };
  const none = {
    observations: [],
    clearings: told.length > 0 && missed.length === 0 ? [cleared(pipeline, told, at)] : [],
  };
  const skips = skipsOf(input.memory, counts.skipped, at);
  const stays = {
    judgedTo: at,
    counts,
    ...memory,
    skips,
    ...(definition ? begins(schedule, definition, memory, now) : {}),
  };
  // Times that pass meanwhile are to pass.
  const passes = { ...stays, judgedTo: at, counts, skips: [] };
  if (!definition) return { memory: stays, ...none, unknown: 'its schedule holds no sound definition' };
  if (schedule.paused || schedule.remaining === 0) return { memory: passes, ...none };
  if (!hasItsTimes(schedule, now)) {
    return { memory: passes, ...none, unknown: 'its schedule has other times than its definition: apply it' };
  }
  const { overlap } = definition.schedule;
  const grace = durationMs(settings.after);
  // What was away with us, Temporal, may be made up for first.
  if (input.waits || now < input.lookingSince + grace) return { memory: stays, ...none };

  const until = now - grace - durationMs(definition.schedule.jitter);
  const from = Math.max(Date.parse(stays.judgedTo), until - LOOKS_BACK_MS);
  const due = timesDue(definition.schedule, from, until);
  const { started, lacking } = await startedOf([...due.keys()], ran);
  const waited = await startedOf(memory.pending ?? [], ran);
  const counted =
    due.size > 0 ? countsBy(horizonOf(definition.schedule, [...due.values()], input), stays, counts) : stays;
  const since = (count: 'missed' | 'skipped'): number => Math.max(0, counted.counts[count] - stays.counts[count]);
  // Another one ran, and the definition says that this one is left out then.
  const owed = lacking.slice(overlap === 'skip' || overlap === 'bufferOne' ? since('skipped') : 0);
  const takesTurns = overlap === 'bufferOne' || overlap === 'bufferAll';
  // One that has not begun may still, unless its schedule says otherwise, or one behind it has begun.
  const lost = takesTurns ? owed.slice(0, since('missed')) : owed;
  const waiting = [...waited.lacking, ...owed.filter((hour) => !lost.includes(hour))];
  const begun = [...waited.started, ...started];
  const isPassedBy = (hour: LogicalHour): boolean => begun.some((other) => other > hour);
  const found = [...waiting.filter(isPassedBy), ...lost].toSorted();
  // One that was due before they were told of says nothing about whether it goes on now.
  const later = begun.find((hour) => (due.get(hour) ?? Date.parse(hour)) > Date.parse(memory.missedAt ?? '1970-01-01'));
  const isOver = later !== undefined && missed.length > 0;
  const left = [...(later === undefined ? missed : []), ...found].slice(-MOST_MISSED);
  return {
    memory: {
      ...stays,
      judgedTo: new Date(Math.max(from, until)).toISOString(),
      counts: counted.counts,
      skips: counted.skips,
      pending: waiting.filter((hour) => !isPassedBy(hour)).slice(-MOST_MISSED),
      missed: left,
      ...(found.length > 0 ? { missedAt: at } : {}),
    },
    observations: settings.muted ? [] : found.map((hour) => observed(pipeline, hour, settings, schedule, at)),
    clearings: isOver ? [cleared(pipeline, [later], at, missed)] : none.clearings,
  };
}

/** What its schedule had skipped, by the look that saw it first. */
function skipsOf({ skips = [], counts }: MissedMemory, skipped: number, at: string): Skips {
  const before = skips.at(-1)?.skipped ?? counts?.skipped;
  return before === undefined || before === skipped ? skips : [...skips, { at, skipped }].slice(-MOST_MISSED);
}

/** Up to when what is counted is about these times, and not about the next one. After a gap, nobody can say: until now. */
function horizonOf(schedule: ScheduleSection, due: readonly number[], { lookingSince, now }: MissedInput): number {
  const last = Math.max(...due);
  const [next] = timesDue(schedule, last, now).values();
  if (next === undefined || last < lookingSince) return now;
  return Math.max(next - 1, last + durationMs(schedule.jitter) + NEAR_MS);
}

/** The counts as they stood then, and what came since. */
function countsBy(
  horizon: number,
  { counts, skips }: { readonly counts: Counts; readonly skips: Skips },
  { missed }: Counts,
): { readonly counts: Counts; readonly skips: Skips } {
  const by = skips.filter(({ at }) => Date.parse(at) <= horizon);
  return { counts: { missed, skipped: by.at(-1)?.skipped ?? counts.skipped }, skips: skips.slice(by.length) };
}

async function startedOf(
  hours: readonly LogicalHour[],
  ran: MissedInput['ran'],
): Promise<{ readonly started: LogicalHour[]; readonly lacking: LogicalHour[] }> {
  const known = await Promise.all(hours.map(async (hour) => ({ hour, did: await ran(hour) })));
  const those = (which: boolean): LogicalHour[] => known.filter(({ did }) => did === which).map(({ hour }) => hour);
  return { started: those(true), lacking: those(false) };
}

/** Up to where its times have been judged: those before other ones were given to it cannot be told any more. */
function begins(
  { createdAt, changedAt }: SeenSchedule,
  { schedule }: Pipeline,
  { judgedTo, times }: MissedMemory,
  now: number,
): { readonly judgedTo: string; readonly times: string } {
  const digest = timesOf(schedule);
  const from = Math.max(judgedTo === undefined ? now : Date.parse(judgedTo), digest === times ? createdAt : changedAt);
  return { judgedTo: new Date(from).toISOString(), times: digest };
}

function timesOf({ every, offset, calendars, cron, timezone, skip, startAt, endAt, jitter }: ScheduleSection): string {
  const times = canonicalJson({ every, offset, calendars, cron, timezone, skip, startAt, endAt, jitter });
  return createHash('sha256').update(times).digest('hex').slice(0, 16);
}

/** When each hour was due whose time is behind the first instant, ascending. */
function timesDue(schedule: ScheduleSection, from: number, until: number): Map<LogicalHour, number> {
  const { startAt, endAt } = schedule;
  const begins = Math.max(from, startAt === undefined ? 0 : Date.parse(startAt));
  const ends = Math.min(until, endAt === undefined ? until : Date.parse(endAt));
  if (ends <= begins) return new Map();
  // Calendars are looked through by whole hours.
  const starts = startsIn(schedule, Math.floor(begins / HOUR) * HOUR, Math.ceil((ends + 1) / HOUR) * HOUR);
  const times = starts.filter((time) => time > begins && time <= ends);
  return new Map(times.map((time) => [toLogicalHour(time), time]));
}

/** Whether its next times are those of its definition: somebody may have given it others by hand. */
function hasItsTimes({ definition, next }: SeenSchedule, now: number): boolean {
  const [first] = next;
  if (!definition || first === undefined) return true;
  const { schedule } = definition;
  const jitter = durationMs(schedule.jitter);
  const begins = Math.max(now, schedule.startAt === undefined ? 0 : Date.parse(schedule.startAt) - 1);
  const from = Math.floor((begins - jitter) / HOUR) * HOUR - HOUR;
  const starts = startsIn(schedule, from, Math.ceil((first + 1) / HOUR) * HOUR);
  const isOne = starts.some((time) => time <= first && first <= time + jitter + 1_000);
  const comes = starts.find((time) => time > begins + jitter + (begins === now ? NEAR_MS : 0));
  return isOne && (comes === undefined || next.some((time) => comes <= time && time <= comes + jitter + 1_000));
}

function observed(
  pipeline: string,
  hour: LogicalHour,
  { severity, after }: WatchSettings,
  { counts }: SeenSchedule,
  at: string,
): Observation {
  return {
    ...{ pipeline, rule: 'run-missed', severity, at, hour, occurrence: hour },
    sentence: `The run of ${hour} was due more than ${after} ago, and has not started: look at "sluice schedule describe ${pipeline}", then run it with "sluice run ${pipeline} --hour ${hour.slice(0, 13)}".`,
    facts: [
      { name: 'Missed by the schedule in all', value: String(counts.missed) },
      ...(counts.skipped > 0 ? [{ name: 'Skipped, as another one ran', value: String(counts.skipped) }] : []),
    ],
  };
}

/** Of all of it: the hour that was told of last may have been run before this one. @param lacking hours that it was told of, and that have not started */
function cleared(
  pipeline: string,
  hours: readonly LogicalHour[],
  at: string,
  lacking: readonly LogicalHour[] = [],
): Clearing {
  const sentence =
    hours.length === 1 ? `The run of ${hours[0]} has started.` : 'The runs of all hours that lacked have started.';
  return { pipeline, rule: 'run-missed', at, sentence: `${sentence}${notRun(lacking)}` };
}

function notRun(hours: readonly LogicalHour[]): string {
  if (hours.length === 0) return '';
  const named = hours.slice(0, NAMED).join(', ');
  const all = hours.length > NAMED ? `${named} and ${hours.length - NAMED} more` : named;
  return ` Not run yet: ${all}; run ${hours.length === 1 ? 'it' : 'them'}, or "sluice backfill" does.`;
}
