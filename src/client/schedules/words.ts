import { dayNames, monthNames, rangesOf, type Calendar } from '../../definition/calendar.ts';
import { durationMs } from '../../definition/duration.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { calendarsOf } from '../../definition/schedule.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** Milliseconds as a definition writes them: `90m`, `2h`. */
export function durationText(ms: number): string {
  if (ms === 0) return '0s';
  const unit = units.find(([, size]) => ms % size === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms}ms`;
}

/** An instant in ISO 8601, UTC, without milliseconds where there are none. */
export const instantText = (instant: Date): string => instant.toISOString().replace('.000Z', 'Z');

/** The times that a definition asks for. */
export function scheduleWords({ schedule }: Pipeline): string[] {
  const { every, offset } = schedule;
  return [
    ...(every === undefined ? [] : [intervalWords({ every: durationMs(every), offset: durationMs(offset) })]),
    ...calendarsOf(schedule).map(({ calendar }) => calendarWords({ ...calendar, second: [0] })),
  ];
}

/** `every 6h, 5m past`. */
export function intervalWords({ every, offset }: { readonly every: number; readonly offset?: number }): string {
  return `every ${durationText(every)}${offset === undefined || offset === 0 ? '' : `, ${durationText(offset)} past`}`;
}

/** `06:00, 18:00 on MON-FRI in JAN`. @param seconds those that go without saying: 0 of a time that starts something, all of one that is skipped */
export function calendarWords(
  calendar: Calendar & { readonly second: readonly number[] },
  seconds: readonly number[] = [0],
): string {
  const { minute, hour, dayOfMonth, month, dayOfWeek, year, second } = calendar;
  const two = (n: number): string => String(n).padStart(2, '0');
  const times = hour.flatMap((h) => minute.map((m) => `${two(h)}:${two(m)}`));
  const all = minute.length === 60 && hour.length === 24;
  const time =
    times.length <= 8
      ? times.join(', ')
      : all
        ? 'at all times'
        : `minute ${rangeText(minute, 60)} of hour ${rangeText(hour, 24)}`;
  const usual = second.length === seconds.length && second.every((n, at) => n === seconds[at]);
  return [
    time,
    ...(usual ? [] : [`at second ${rangeText(second, 60)}`]),
    ...(dayOfWeek.length === 7 ? [] : [`on ${rangeText(dayOfWeek, 7, (day) => short(dayNames[day]))}`]),
    ...(dayOfMonth.length === 31 ? [] : [`on day ${rangeText(dayOfMonth, 31)} of the month`]),
    ...(month.length === 12 ? [] : [`in ${rangeText(month, 12, (n) => short(monthNames[n - 1]))}`]),
    ...(year.length === 0 ? [] : [`in ${rangeText(year, 101)}`]),
  ].join(' ');
}

function rangeText(values: readonly number[], all: number, name: (n: number) => string = String): string {
  if (values.length === all) return '*';
  return rangesOf(values)
    .map(({ start, end, step }) =>
      start === end ? name(start) : `${name(start)}-${name(end)}${step === 1 ? '' : `/${step}`}`,
    )
    .join(',');
}

const short = (name: string | undefined): string => (name ?? '').slice(0, 3).toUpperCase();
