import type { Calendar } from './calendar.ts';
import { durationMs } from './duration.ts';
import { hoursIn, toLogicalHour, type LogicalHour } from './hour.ts';
import { calendarsOf, skippedOf, type ScheduleSection } from './schedule.ts';
import { offsetReader } from './zone-offsets.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The hours of a range, both ends among them, in which a schedule starts a run: what Temporal's own backfill of that schedule would start.
 * `startAt` and `endAt` aside, as who names a range means it; and an hour that comes twice when clocks go back is two hours.
 * @returns ascending
 */
export function scheduledHours(schedule: ScheduleSection, from: LogicalHour, to: LogicalHour): LogicalHour[] {
  const starts = hoursIn(from, to) === 0 ? [] : startsIn(schedule, Date.parse(from), Date.parse(to) + HOUR);
  return [...new Set(starts.map((instant) => toLogicalHour(instant)))];
}

/** Nominal times, ascending: from the first instant on, before the second, in milliseconds. `startAt` and `endAt` aside, and without the jitter. */
export function startsIn(schedule: ScheduleSection, from: number, before: number): number[] {
  const isSkipped = fitting(schedule.timezone, skippedOf(schedule));
  const starts: number[] = [];
  if (schedule.every !== undefined) {
    const [every, offset] = [durationMs(schedule.every), durationMs(schedule.offset)];
    for (let at = Math.ceil((from - offset) / every) * every + offset; at < before; at += every) {
      if (!isSkipped(at)) starts.push(at);
    }
    return starts;
  }
  const isStart = fitting(
    schedule.timezone,
    calendarsOf(schedule).map(({ calendar }) => calendar),
  );
  // Zones are off by quarters of an hour at most, and calendars by minutes: every minute is looked at.
  for (let hour = from; hour < before; hour += HOUR) {
    for (let at = hour; at < hour + HOUR; at += MINUTE) {
      if (!isStart(at) || isSkipped(at)) continue;
      starts.push(at);
      break;
    }
  }
  return starts;
}

/** Whether an instant fits one of these calendars, by the clocks of a zone. */
function fitting(zone: string, calendars: readonly Calendar[]): (instant: number) => boolean {
  if (calendars.length === 0) return () => false;
  const offsetAt = zone === 'UTC' ? () => 0 : offsetReader(zone);
  const sets = calendars.map((calendar) => ({ ...calendar, minutes: new Set(calendar.minute) }));
  let [known, offset] = [Number.NaN, 0];
  return (instant) => {
    // Zones change at whole quarters; asking for each minute would take seconds for a year.
    const quarter = Math.floor(instant / (15 * MINUTE));
    if (quarter !== known) [known, offset] = [quarter, offsetAt(instant)];
    const local = new Date(instant + offset * MINUTE);
    // Seconds of a calendar are 0.
    if (local.getUTCSeconds() !== 0) return false;
    return sets.some(
      ({ minutes, hour, dayOfMonth, month, dayOfWeek, year }) =>
        minutes.has(local.getUTCMinutes()) &&
        hour.includes(local.getUTCHours()) &&
        dayOfMonth.includes(local.getUTCDate()) &&
        month.includes(local.getUTCMonth() + 1) &&
        dayOfWeek.includes(local.getUTCDay()) &&
        (year.length === 0 || year.includes(local.getUTCFullYear())),
    );
  };
}
