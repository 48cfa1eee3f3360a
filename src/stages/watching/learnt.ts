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
}

/** What is known of hours, ascending. @param hours in any order */
export function knownHours(hours: readonly HourMeasures[]): KnownHour[] {
  const sorted = hours
    .map((measures) => ({ measures, at: hoursSinceEpoch(measures.hour) }))
    .sort((a, b) => a.at - b.at);
  return sorted.map(({ measures, at }, position) => ({
    ...{ measures, at },
    repeats: isRepeat(measures, sorted[position - 1]?.measures),
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
  /** By how much the newest of them was off, where that alone was not enough to be odd. */
  readonly suspected?: number;
  /** It was the last of so many odd ones that they are the usual now. */
  readonly accepted?: number;
}

/**
 * The points of a series to learn from. What was odd is left out, for a problem would else become what is usual; unless so many odd ones in the same direction
 * stand in a row that this is how it is now: then they count, and what was before them is moved to their level, so that its rhythm still does.
 */
export function learn(hours: readonly KnownHour[], key: string, { to }: Scale, acceptAfter: number): Learnt {
  let points: Point[] = [];
  let streak: { readonly point: Point; readonly by: number }[] = [];
  let accepted: number | undefined;
  let suspected: number | undefined;
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
  for (const { measures, at } of hours) {
    const value = measures.values[key];
    if (value === undefined) continue;
    const point = { hour: at, y: to(value) };
    const expected = measures.odd[key];
    const suspect = measures.suspect?.[key];
    suspected = suspect === undefined ? undefined : point.y - to(suspect);
    const by = expected === undefined ? 0 : point.y - to(expected);
    if (streak.length > 0 && (expected === undefined || by > 0 !== (streak[0]?.by ?? 0) > 0)) endStreak();
    if (expected === undefined) {
      accepted = undefined;
      points.push(point);
    } else streak.push({ point, by });
  }
  const wasOdd = streak.length > 0;
  endStreak();
  return {
    ...{ points, wasOdd },
    ...(suspected === undefined ? {} : { suspected }),
    ...(accepted === undefined ? {} : { accepted }),
  };
}
