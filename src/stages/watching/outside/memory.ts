import type { IncidentRule } from '../../../definition/incidents.ts';
import type { LogicalHour } from '../../../definition/hour.ts';
import type { WatchedQueue } from './seen-queues.ts';

/** A problem that has been told of, and is not over. */
export interface OpenProblem {
  readonly rule: IncidentRule;
  readonly subject?: string;
  /** As it was told: the same is not told again. */
  readonly occurrence: string;
  readonly sentence: string;
}

/** Since when something stands where it stands. ISO 8601. */
export interface StandsStill {
  readonly at: string;
  readonly since: string;
  /** How much of the time since then nobody looked. Milliseconds. */
  readonly unlooked?: number;
}

/** What is remembered of a pipeline from look to look. */
export interface PipelineMemory {
  /** Times of its schedule up to here have been judged. ISO 8601. */
  readonly judgedTo?: string;
  /** A digest of the times that its schedule had then. */
  readonly times?: string;
  /** Hours that did not start, and still have not. */
  readonly missed?: readonly LogicalHour[];
  /** When the last one of them was told of. ISO 8601. */
  readonly missedAt?: string;
  /** Hours that have not started, and may once those before them are through. */
  readonly pending?: readonly LogicalHour[];
  /** As its schedule has counted them: missed by the catch-up window, skipped as another one ran; up to the last time that was judged. */
  readonly counts?: { readonly missed: number; readonly skipped: number };
  /** What it has skipped since, by the look that saw it. */
  readonly skips?: readonly { readonly at: string; readonly skipped: number }[];
  /** Since when it is paused, as far as it was seen. ISO 8601. */
  readonly pausedSince?: string;
  /** The newest hour that went through with rows, and since when its index lacks it. */
  readonly newest?: LogicalHour;
  readonly staleSince?: string;
  readonly open?: readonly OpenProblem[];
}

/** What the watchdog knows from look to look. Plain JSON, and small: it goes through its history each time. */
export interface WatchMemory {
  /** ISO 8601. */
  readonly lookedAt?: string;
  /** When that look was over. Versions before knew none. */
  readonly lookedTo?: string;
  /** Since when it looks without a gap. */
  readonly lookingSince?: string;
  /** When a worker of each queue was last seen. */
  readonly queues?: Readonly<Partial<Record<WatchedQueue, string>>>;
  /** How much of the time since then nobody looked. Milliseconds. */
  readonly unlooked?: Readonly<Partial<Record<WatchedQueue, number>>>;
  /** Since when there are workflows taken up again, after nobody did. */
  readonly servedSince?: string;
  /** What went through was asked for up to here. ISO 8601. */
  readonly endsTo?: string;
  readonly pipelines?: Readonly<Record<string, PipelineMemory>>;
  /** Consumers that have something to land, by stream and shard: where they stand. */
  readonly lagging?: Readonly<Record<string, StandsStill>>;
  /** The dead man's switch: when it was last asked for, and why that failed, if it did. */
  readonly ping?: { readonly at: string; readonly problem?: string };
}

/** What stood still before nobody looked for a while, with that while put down. Milliseconds. */
export function lookedAway(lagging: NonNullable<WatchMemory['lagging']>, away: number): Record<string, StandsStill> {
  const known = Object.entries(lagging).map(([name, one]): [string, StandsStill] => {
    const unlooked = (one.unlooked ?? 0) + away;
    return [name, unlooked > 0 ? { ...one, unlooked } : one];
  });
  return Object.fromEntries(known);
}

const GAP = 3;
const LEAST_GAP_MS = 3 * 60_000;

/** From the end of the last look, which may have waited for servers, until now; undefined where there was none. Milliseconds. */
export function sinceLastLook({ lookedTo, lookedAt }: WatchMemory, now: number): number | undefined {
  const last = lookedTo ?? lookedAt;
  return last === undefined ? undefined : now - Date.parse(last);
}

/** Whether looks are further apart than so many times the usual, and no few minutes. */
export const isGap = (sinceLook: number | undefined, everyMs: number): boolean =>
  sinceLook === undefined || sinceLook > Math.max(GAP * everyMs, LEAST_GAP_MS);
