import { fieldValues, calendarFields, type Calendar } from './calendar.ts';
import { cronCalendar, cronFields } from './cron.ts';
import { durationMs } from './duration.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { calendarsOf, type CalendarInput, type ScheduleSection } from './schedule.ts';
import { zoneProblem } from './zone-checks.ts';
import { localOffsets } from './zone-offsets.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A run that starts so long after its hour still counts as in it. */
const GRACE = 5 * MINUTE;
const at = (...path: (string | number)[]): (string | number)[] => ['schedule', ...path];

/** What the schema cannot see of a schedule; what it lets through, the server takes. */
export function scheduleChecks({ schedule, source }: Pipeline): Finding[] {
  const inFields = [
    ...(schedule.calendars ?? []).flatMap((calendar, n) => calendarFindings(['calendars', n], calendar)),
    ...schedule.skip.flatMap((calendar, n) => calendarFindings(['skip', n], calendar)),
    ...(schedule.cron ?? []).flatMap((text, n) => cronFindings(n, text)),
    ...zoneFindings(schedule),
  ];
  const found = [...inFields, ...intervalFindings(schedule), ...limitFindings(schedule)];
  if (found.length > 0) return found;
  const atMostHourly = [...allHours(schedule), ...oncePerHour(schedule)];
  // A source that can be asked for an hour by its name does not mind being late.
  const late = JSON.stringify(source).includes('${hour:') ? [] : lateFindings(schedule);
  return [...atMostHourly, ...late];
}

function calendarFindings(path: readonly (string | number)[], calendar: CalendarInput): Finding[] {
  return calendarFields.flatMap((field): Finding[] => {
    const found = fieldValues(field, calendar[field]);
    return 'problem' in found ? [{ path: at(...path, field), message: found.problem }] : [];
  });
}

function cronFindings(n: number, text: string): Finding[] {
  const parsed = cronCalendar(text);
  if ('problem' in parsed) return [{ path: at('cron', n), message: parsed.problem }];
  return cronFields.flatMap((field): Finding[] => {
    const found = fieldValues(field, parsed.fields[field]);
    return 'problem' in found ? [{ path: at('cron', n), message: `${field}: ${found.problem}` }] : [];
  });
}

function zoneFindings({ timezone, calendars, cron, skip }: ScheduleSection): Finding[] {
  const found = (message: string): Finding[] => [{ path: at('timezone'), message }];
  if (timezone === 'UTC') return [];
  const problem = zoneProblem(timezone);
  if (problem !== undefined) return found(problem);
  if (calendars ?? cron ?? skip[0]) return [];
  return found('has no meaning for `every`, which counts from midnight UTC: say the times in `calendars` or `cron`');
}

function intervalFindings({ every, offset, calendars, cron }: ScheduleSection): Finding[] {
  if (every === undefined) {
    return offset === '0s' ? [] : [{ path: at('offset'), message: 'belongs to `every`, and there is none' }];
  }
  if (calendars ?? cron) {
    const message =
      'stands beside calendars or cron: Temporal would take both together, and an hour could come twice. Say its times there too';
    return [{ path: at('every'), message }];
  }
  const found: Finding[] = [];
  if (durationMs(every) < HOUR) {
    const message = `"${every}" is more than once an hour: a run belongs to its hour, so two starts in one hour are one run. Say 1h or more`;
    found.push({ path: at('every'), message });
  }
  if (durationMs(every) % 1000 > 0) found.push({ path: at('every'), message: 'must be whole seconds' });
  if (durationMs(offset) % 1000 > 0) found.push({ path: at('offset'), message: 'must be whole seconds' });
  if (durationMs(offset) >= durationMs(every)) {
    found.push({ path: at('offset'), message: `"${offset}" is not shorter than every (${every})` });
  }
  return found;
}

function limitFindings({ startAt, endAt, catchUp, pauseOnFailure, overlap }: ScheduleSection): Finding[] {
  const found: Finding[] = [];
  if (startAt !== undefined && endAt !== undefined && Date.parse(endAt) <= Date.parse(startAt)) {
    found.push({ path: at('endAt'), message: 'is not after startAt: nothing would ever be started' });
  }
  if (durationMs(catchUp) < 10_000) {
    found.push({
      path: at('catchUp'),
      message: `"${catchUp}" is shorter than 10s, which is the least that a server takes`,
    });
  }
  if (pauseOnFailure && overlap === 'allowAll') {
    const message =
      'needs an overlap other than allowAll: Temporal does not follow runs that may overlap, so it would not see them fail. bufferAll runs them one after the other';
    found.push({ path: at('pauseOnFailure'), message });
  }
  return found;
}

interface Firing {
  readonly calendar: Calendar;
  readonly hour: number;
  readonly minute: number;
  /** The hour of the day that it falls into, UTC but for whole hours; and whether that is the day before. */
  readonly slot: number;
  readonly before: boolean;
}

/**
 * Two firings in one logical hour. Zones that are off by whole hours share their hours with UTC; others are moved by the rest. Where such
 * a one also sets its clocks (Australia/Adelaide), two may still meet in the night of the change: the second joins.
 */
function oncePerHour(schedule: ScheduleSection): Finding[] {
  const calendars = calendarsOf(schedule).map(({ calendar }) => calendar);
  const own = schedule.calendars?.length ?? 0;
  for (const rest of restsOf(schedule.timezone)) {
    const firings = calendars.map((calendar) => firingsOf(calendar, rest));
    for (const [n, mine] of firings.entries()) {
      const others = firings.slice(0, n + 1).flat();
      for (const firing of mine) {
        const twin = others.find((other) => isTwin(firing, other));
        if (!twin) continue;
        const [first, second] = [twin, firing].map(clock).toSorted();
        const message = `starts an hour twice (${first} and ${second}): a run belongs to its hour, so two starts in one hour are one run. Keep one minute`;
        return [{ path: n < own ? at('calendars', n) : at('cron', n - own), message }];
      }
    }
  }
  return [];
}

function isTwin(a: Firing, b: Firing): boolean {
  if (a.slot !== b.slot || (a.hour === b.hour && a.minute === b.minute)) return false;
  return a.calendar === b.calendar && a.before === b.before ? true : daysMeet(a, b);
}

function daysMeet(a: Firing, b: Firing): boolean {
  const years = (calendar: Calendar): readonly number[] | undefined =>
    calendar.year.length === 0 ? undefined : calendar.year;
  const meet = (one: readonly number[] | undefined, other: readonly number[] | undefined): boolean =>
    one === undefined || other === undefined || one.some((value) => other.includes(value));
  const weekdays = ({ calendar, before }: Firing): number[] =>
    calendar.dayOfWeek.map((day) => (before ? (day + 6) % 7 : day));
  if (!meet(weekdays(a), weekdays(b))) return false;
  // Of neighbouring days only the weekday is looked at: it is the one pattern that keeps them apart for certain.
  if (a.before !== b.before) return true;
  return (
    meet(a.calendar.dayOfMonth, b.calendar.dayOfMonth) &&
    meet(a.calendar.month, b.calendar.month) &&
    meet(years(a.calendar), years(b.calendar))
  );
}

function firingsOf(calendar: Calendar, rest: number): Firing[] {
  return calendar.hour.flatMap((hour) =>
    calendar.minute.map((minute): Firing => {
      const slot = Math.floor((hour * 60 + minute - rest) / 60);
      return { calendar, hour, minute, slot: (slot + 24) % 24, before: slot < 0 };
    }),
  );
}

/** The hour that comes twice when clocks go back is started once by Temporal in most zones (server 1.29): an hour would be missing. */
function allHours(schedule: ScheduleSection): Finding[] {
  const own = schedule.calendars?.length ?? 0;
  if (offsetsOf(schedule.timezone).length < 2) return [];
  return calendarsOf(schedule).flatMap(({ calendar }, n): Finding[] => {
    if (calendar.hour.length < 24) return [];
    const message = `has every hour, in a zone that sets its clocks: Temporal leaves an hour out when they go back. Say \`every: 1h\`, or \`timezone: UTC\``;
    return [{ path: n < own ? at('calendars', n, 'hour') : at('cron', n - own), message }];
  });
}

/** The minutes by which a zone is off whole hours: 0, or 30 for Asia/Kolkata. */
function restsOf(zone: string): number[] {
  return [...new Set(offsetsOf(zone).map((minutes) => (minutes + 24 * 60) % 60))];
}

/** Minutes east of Greenwich that a zone has had since 2020, and is to have. */
function offsetsOf(zone: string): number[] {
  const found = localOffsets(zone).flatMap(({ offset }, n, all) => {
    const until = all[n + 1]?.from;
    if (offset === null || (until !== undefined && until < '2020')) return [];
    const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
    return [offset.startsWith('-') ? -minutes : minutes];
  });
  return [...new Set(found)];
}

/** What the source holds when a run starts must still be what it held in the hour. */
function lateFindings(schedule: ScheduleSection): Finding[] {
  const jitter = durationMs(schedule.jitter);
  const latest = latestMinute(schedule) * MINUTE;
  if (jitter === 0 || latest + jitter <= HOUR + GRACE) return [];
  const message =
    `"${schedule.jitter}" may start a run after its hour: ${latest / MINUTE} minutes past it, and source.url does not name an hour, so what the ` +
    `source held then is gone. At most ${Math.floor((HOUR + GRACE - latest) / MINUTE)}m here`;
  return [{ path: at('jitter'), message }];
}

/** How far into its hour a start may nominally be. */
function latestMinute(schedule: ScheduleSection): number {
  if (schedule.every !== undefined) {
    const step = commonDivisor(durationMs(schedule.every), HOUR);
    return Math.floor(((durationMs(schedule.offset) % step) + HOUR - step) / MINUTE);
  }
  const rests = restsOf(schedule.timezone);
  const minutes = calendarsOf(schedule).flatMap(({ calendar }) => calendar.minute);
  return Math.max(0, ...minutes.flatMap((minute) => rests.map((rest) => (minute - rest + 60) % 60)));
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));
const clock = ({ hour, minute }: Firing): string => [hour, minute].map((n) => String(n).padStart(2, '0')).join(':');
