import { limitOf, type Limit } from './limit.ts';
import { medianOf, middleOf, middleWithout } from './robust.ts';

/** A value of a series, in the scale in which it is judged, and its hour since 1970. */
export interface Point {
  readonly hour: number;
  readonly y: number;
}

/** What an expectation goes by: all runs alike, the hour of the day, that and the day of the week, the hour of the week. */
export type Rhythm = 'none' | 'day' | 'day and weekday' | 'week';

/** What is usual at an hour. */
export interface Usual extends Limit {
  readonly expected: number;
  readonly rhythm: Rhythm;
  /** So many runs the expectation is the median of. */
  readonly runs: number;
}

const DAY = 24;
const WEEK = 7 * DAY;
/** A group of fewer values has no median to speak of once one of them is left out. */
const LEAST_IN_GROUP = 3;
/** A richer rhythm has to explain so much more. */
const PRICE: Readonly<Record<Rhythm, number>> = { none: 1, day: 1.05, 'day and weekday': 1.1, week: 1.15 };

/** 1970 began on a Thursday. */
export const weekdayOf = (hour: number): number => (Math.floor(hour / DAY) + 4) % 7;
const hourOfDay = (hour: number): number => hour % DAY;
const hourOfWeek = (hour: number): number => (hour + 4 * DAY) % WEEK;

/** One way to expect a value. */
export interface Expectation {
  readonly rhythm: Rhythm;
  readonly expected: number;
  readonly runs: number;
  /** How far each point is from what would have been expected of it without itself, ascending. */
  deviations(): Float64Array;
}

/**
 * What is usual at an hour, from the points before it, ascending. The level is the median of the last week's days, so that it follows slow growth and knows no
 * weekend; rhythm is the median of what lies above or below the level at like hours. Of the rhythms for which there is enough, the one that leaves the smallest
 * deviations unexplained is taken: each deviation is against an expectation that was made without the point itself.
 * @param chance of being wrong about one value
 */
export function usualAt(points: readonly Point[], hour: number, chance: number): Usual {
  return bestOf(expectationsAt(points, hour), chance);
}

/** The expectation that leaves the smallest deviations. Costs some ten times what the expectations do. */
export function bestOf(expectations: readonly Expectation[], chance: number): Usual {
  const models = expectations.map(({ rhythm, expected, runs, deviations }) => ({
    ...{ rhythm, expected, runs },
    ...limitOf(deviations(), chance),
  }));
  return models.reduce((a, b) => (b.limit * PRICE[b.rhythm] < a.limit * PRICE[a.rhythm] ? b : a));
}

/** All ways to expect a value for which there are enough points. */
export function expectationsAt(points: readonly Point[], hour: number): Expectation[] {
  const { past, now } = levelsOf(points, hour);
  const above = past.map((level, at) => (points[at]?.y ?? NaN) - level);
  return [flat(above), ...rhythms(points, above, hour)].map((model) => ({ ...model, expected: model.expected + now }));
}

/** The level at each point, and now: the median over the seven days before of each day's median. One for all until there are two weeks. */
function levelsOf(points: readonly Point[], hour: number): { past: Float64Array; now: number } {
  const first = points[0]?.hour ?? hour;
  const past = new Float64Array(points.length);
  if (hour - first < 2 * WEEK) {
    const level = medianOf(points.map(({ y }) => y));
    return { past: past.fill(level), now: level };
  }
  const days: number[][] = [];
  for (const { hour: at, y } of points) (days[dayBefore(hour, at)] ??= []).push(y);
  const typical = medianOf(days.flatMap((day) => (day ? [day.length] : [])));
  const medians = Array.from(days, (day) => (day && day.length * 2 >= typical ? medianOf(day) : undefined));
  const week = (from: number): number | undefined => {
    const found = medians.slice(from, from + 7).filter((median) => median !== undefined);
    return found.length >= 4 ? medianOf(found) : undefined;
  };
  const oldest = medianOf(medians.filter((median) => median !== undefined).slice(-7));
  const levels = medians.map((_, day) => week(day + 1) ?? oldest);
  for (let at = 0; at < past.length; at++) past[at] = levels[dayBefore(hour, points[at]?.hour ?? 0)] ?? oldest;
  return { past, now: week(0) ?? medianOf(medians.filter((median) => median !== undefined).slice(0, 7)) };
}

/** Counted in days of 24 hours back from now: 0 is the last one. */
const dayBefore = (hour: number, then: number): number => Math.floor((hour - then - 1) / DAY);

function flat(above: Float64Array): Expectation {
  const expected = medianOf(above);
  const deviations = (): Float64Array => above.map((y) => Math.abs(y - expected)).sort();
  return { expected, rhythm: 'none', runs: above.length, deviations };
}

function* rhythms(points: readonly Point[], above: Float64Array, hour: number): Generator<Expectation> {
  const days = groupsOf(points, DAY, hourOfDay);
  const daily = grouped(days, above, hourOfDay(hour));
  if (daily) yield { rhythm: 'day', ...daily };
  const span = hour - (points[0]?.hour ?? hour);
  if (span < 2 * WEEK) return;
  // Weekdays are learnt from many hours each, long before each hour of the week has been there often enough.
  if (points.length > (span / DAY) * 6) {
    const inDay = mediansOf(days, above);
    const rest = above.map((y, at) => y - (inDay[days.of[at] ?? 0] ?? 0));
    const weekdays = groupsOf(points, 7, weekdayOf);
    const usual = mediansOf(weekdays, rest);
    const without = above.map((y, at) => y - (usual[weekdays.of[at] ?? 0] ?? 0));
    const both = grouped(days, without, hourOfDay(hour));
    const today = usual[weekdayOf(hour)] ?? NaN;
    if (both && !Number.isNaN(today)) yield { ...both, rhythm: 'day and weekday', expected: both.expected + today };
  }
  const weekly = grouped(groupsOf(points, WEEK, hourOfWeek), above, hourOfWeek(hour));
  if (weekly) yield { rhythm: 'week', ...weekly };
}

/** Which group each point belongs to, and where each group begins once they stand one after the other. */
interface Groups {
  readonly of: Uint16Array;
  readonly starts: Uint32Array;
}

function groupsOf(points: readonly Point[], count: number, groupOf: (hour: number) => number): Groups {
  const of = new Uint16Array(points.length);
  const starts = new Uint32Array(count + 1);
  for (let at = 0; at < of.length; at++) {
    const group = groupOf(points[at]?.hour ?? 0);
    of[at] = group;
    starts[group + 1] = (starts[group + 1] ?? 0) + 1;
  }
  for (let at = 1; at <= count; at++) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
  return { of, starts };
}

/** The groups' values one after the other. */
function laidOut({ of, starts }: Groups, values: Float64Array): Float64Array {
  const laid = new Float64Array(values.length);
  const next = starts.slice();
  for (let at = 0; at < of.length; at++) {
    const group = of[at] ?? 0;
    const place = next[group] ?? 0;
    laid[place] = values[at] ?? 0;
    next[group] = place + 1;
  }
  return laid;
}

/** A group's values, ascending. */
const sorted = ({ starts }: Groups, laid: Float64Array, group: number): Float64Array =>
  laid.subarray(starts[group], starts[group + 1]).sort();

function mediansOf(groups: Groups, values: Float64Array): number[] {
  const laid = laidOut(groups, values);
  return Array.from({ length: groups.starts.length - 1 }, (_, group) => middleOf(sorted(groups, laid, group)));
}

/** The median of the group that now belongs to; undefined where that is too small. */
function grouped(groups: Groups, values: Float64Array, now: number): Omit<Expectation, 'rhythm'> | undefined {
  const runs = (groups.starts[now + 1] ?? 0) - (groups.starts[now] ?? 0);
  if (runs < LEAST_IN_GROUP) return undefined;
  const laid = laidOut(groups, values);
  const deviations = (): Float64Array => {
    const found = new Float64Array(values.length);
    let known = 0;
    for (let at = 0; at < groups.starts.length - 1; at++) {
      const group = sorted(groups, laid, at);
      if (group.length < LEAST_IN_GROUP) continue;
      for (let rank = 0; rank < group.length; rank++) {
        found[known++] = Math.abs((group[rank] ?? 0) - middleWithout(group, rank));
      }
    }
    return found.subarray(0, known).sort();
  };
  return { expected: middleOf(sorted(groups, laid, now)), runs, deviations };
}
