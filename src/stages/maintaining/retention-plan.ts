import type { LogicalHour } from '../../definition/hour.ts';
import type { HourRecord } from '../../definition/refs.ts';

/** An hour that is old enough to go and stays. */
export interface HeldBack {
  readonly hour: LogicalHour;
  /** `it is the newest hour of broadband`. */
  readonly because: string;
}

export interface RetentionPlan {
  /** Ascending. */
  readonly remove: readonly LogicalHour[];
  readonly heldBack: readonly HeldBack[];
}

/**
 * Which hours of a pipeline go: those before a moment, whole, in all data sets. The newest committed hour of each data set stays, and
 * with an hour that stays those that it needs: the one whose content it repeats, and all that it compared its keys with.
 * @param records the newest record of each hour, of each stream
 * @param others hours that have runs, committed or not
 */
export function planRetention(
  records: readonly HourRecord[],
  others: readonly LogicalHour[],
  before: LogicalHour,
): RetentionPlan {
  const byHour = new Map<LogicalHour, HourRecord[]>(others.map((hour) => [hour, []]));
  for (const record of records) byHour.set(record.hour, [...(byHour.get(record.hour) ?? []), record]);
  const standing = records.filter(({ removed }) => removed === undefined);
  const needed = new Map<LogicalHour, string>();
  const newest = new Map<string, LogicalHour>();
  for (const { stream, hour } of standing) if (hour > (newest.get(stream) ?? '')) newest.set(stream, hour);
  for (const [stream, hour] of newest) needed.set(hour, `it is the newest hour of ${stream}`);
  const remove: LogicalHour[] = [];
  const heldBack: HeldBack[] = [];
  let compared: LogicalHour | undefined;
  // From the newest down: what an hour needs lies below it.
  for (const [hour, found] of [...byHour].toSorted(([a], [b]) => (a < b ? 1 : -1))) {
    const kept = found.filter(({ removed }) => removed === undefined);
    // Removed before, in every data set that has it.
    if (found.length > 0 && kept.length === 0) continue;
    const because =
      needed.get(hour) ?? (compared === undefined ? undefined : `the keys of ${compared} were compared with it`);
    if (hour < before && because === undefined) {
      remove.unshift(hour);
      continue;
    }
    if (hour < before && because !== undefined) heldBack.unshift({ hour, because });
    for (const { sameAs, seen } of kept) {
      if (sameAs !== undefined && !needed.has(sameAs)) needed.set(sameAs, `${hour} repeats it`);
      if (seen && seen.hours > 0) compared = hour;
    }
  }
  return { remove, heldBack };
}
