import { hoursSinceEpoch } from '../../definition/hour.ts';
import type { Scale } from './kinds.ts';
import type { HourMeasures } from './measures.ts';
import { medianOf } from './robust.ts';
import type { Point } from './usual.ts';

/** An earlier hour, as it is compared with. */
export interface KnownHour {
  readonly measures: HourMeasures;
  /** Since 1970. */
  readonly at: number;
  /** It has the content of the hour before it: of what is in the rows it says nothing new. */
  readonly repeats: boolean;
  /** Anything of it was odd. */
  readonly isOdd: boolean;
}

/** What is known of hours, ascending. @param hours in any order */
export function knownHours(hours: readonly HourMeasures[]): KnownHour[] {
  const sorted = hours
    .map((measures) => ({ measures, at: hoursSinceEpoch(measures.hour) }))
    .sort((a, b) => a.at - b.at);
  return sorted.map(({ measures, at }, position) => ({
    ...{ measures, at },
    repeats: isRepeat(measures, sorted[position - 1]?.measures),
    isOdd: Object.keys(measures.odd).length > 0,
  }));
}

export const isRepeat = (hour: HourMeasures, before: HourMeasures | undefined): boolean =>
  hour.content !== undefined && hour.content === before?.content && hour.shape === before.shape;

/** The hours that a series is compared over: of what is in the rows, those with content of their own under the same definition. */
export function comparable(hours: readonly KnownHour[], ofData: boolean, shape: string): readonly KnownHour[] {
  return ofData ? hours.filter(({ repeats, measures }) => !repeats && measures.shape === shape) : hours;
}

/** What earlier runs teach of a series. */
export interface Learnt {
  readonly points: readonly Point[];
  /** The newest of them was odd. */
  readonly wasOdd: boolean;
  /** By how much the newest run was off, where that alone was not enough to be odd: it is not among them. */
  readonly suspected?: number;
  /** It was the last of so many odd ones that they are the usual now. */
  readonly accepted?: number;
}

/**
 * The points of a series to learn from. What was odd is left out, for a problem would else become what is usual, and so is the suspect run that it began with;
 * unless so many in the same direction stand in a row that this is how it is now: then they count, and what was before them is moved to their level, so that its
 * rhythm still does.
 */
export function learn(hours: readonly KnownHour[], key: string, { to }: Scale, acceptAfter: number): Learnt {
  let points: Point[] = [];
  let streak: { readonly point: Point; readonly by: number }[] = [];
  let accepted: number | undefined;
  let newest: HourMeasures | undefined;
  const endStreak = (): void => {
    accepted = undefined;
    if (streak.length >= acceptAfter) {
      const by = medianOf(streak.slice(0, acceptAfter).map((odd) => odd.by));
      points = points.map(({ hour, y }) => ({ hour, y: y + by }));
      points.push(...streak.map(({ point }) => point));
      accepted = streak.length;
    }
    streak = [];
  };
  for (const { measures, at, isOdd } of hours) {
    const value = measures.values[key];
    if (value === undefined) continue;
    const before = newest;
    newest = measures;
    const point = { hour: at, y: to(value) };
    const expected = isOdd ? measures.odd[key] : undefined;
    const by = expected === undefined ? 0 : point.y - to(expected);
    if (streak.length > 0 && (expected === undefined || by > 0 !== (streak[0]?.by ?? 0) > 0)) endStreak();
    if (expected === undefined) {
      accepted = undefined;
      points.push(point);
      continue;
    }
    const suspect = streak.length === 0 && before?.odd[key] === undefined ? before?.suspect?.[key] : undefined;
    const first = points.at(-1);
    if (suspect !== undefined && first && first.y > to(suspect) === by > 0) {
      points.pop();
      streak.push({ point: first, by: first.y - to(suspect) });
    }
    streak.push({ point, by });
  }
  const wasOdd = streak.length > 0;
  endStreak();
  const suspect = newest?.suspect?.[key];
  // Learnt from, a suspect run would widen what is allowed, and hide a second one like it. The next run but one learns from it.
  const known = suspect !== undefined && !wasOdd ? points.slice(0, -1) : points;
  return {
    ...{ points: known, wasOdd },
    ...(suspect === undefined ? {} : { suspected: to(newest?.values[key] ?? NaN) - to(suspect) }),
    ...(accepted === undefined ? {} : { accepted }),
  };
}
