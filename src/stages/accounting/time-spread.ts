import { causes, type Cause, type StageTimes, type WaitedOn } from '../../definition/timing.ts';
import type { RunReport, StageTiming } from '../run-report.ts';

/** As much of a report as says where its time went. */
export type TimedRun = Pick<RunReport, 'startedAt' | 'endedAt' | 'stages'>;

/** Milliseconds by what they went to, stage by stage. */
export interface TimeSpread {
  readonly totalMs: number;
  readonly parts: readonly { readonly stage: string; readonly cause: Cause; readonly ms: number }[];
}

/** Whose slowness it is that one of these was waited for. */
const causeOf: Readonly<Record<WaitedOn, Cause>> = {
  ...{ source: 'source', broker: 'broker', store: 'store', search: 'search', spark: 'spark' },
  ...{ engine: 'processor', limit: 'limit' },
};

/** What goes by between stages has no stage. */
export const BETWEEN = '';

/** Where all of a run's time went. Its parts are never negative, and together never more than the run took. */
export function spreadOf(report: TimedRun): TimeSpread {
  const totalMs = Math.max(0, Date.parse(report.endedAt) - Date.parse(report.startedAt));
  const parts: { stage: string; cause: Cause; ms: number }[] = [];
  let left = totalMs;
  const give = (stage: string, cause: Cause, ms: number): number => {
    const given = Math.max(0, Math.min(ms, left));
    left -= given;
    if (given > 0) parts.push({ stage, cause, ms: given });
    return given;
  };
  for (const stage of report.stages) spread(stage, give);
  if (report.stages.length > 0) give(BETWEEN, 'temporal', left);
  return { totalMs, parts };
}

function spread({ stage, ms, times }: StageTiming, give: (stage: string, cause: Cause, ms: number) => number): void {
  give(stage, 'wait', times?.heldMs ?? 0);
  // Stages that ask nobody for anything have none either, but take no time.
  if (times === undefined) {
    give(stage, stage === 'quality' ? 'temporal' : 'untold', ms);
    return;
  }
  let rest = ms;
  const take = (cause: Cause, wanted: number): void => {
    rest -= give(stage, cause, Math.min(wanted, rest));
  };
  take('queue', times.queueMs);
  take('retries', times.retryMs);
  take('wait', times.waitMs);
  for (const [cause, part] of runParts(times)) take(cause, part);
  if (stage === 'land') take('store', times.consumerStoreMs ?? 0);
  take(stage === 'land' ? 'consumer' : 'temporal', rest);
}

/** What attempts did while they ran. */
function runParts({ runMs, busyMs, on }: StageTimes): [Cause, number][] {
  let left = runMs;
  const parts: [Cause, number][] = [];
  const take = (cause: Cause, ms: number): void => {
    const part = Math.max(0, Math.min(ms, left));
    left -= part;
    parts.push([cause, part]);
  };
  for (const [server, use] of Object.entries(on) as [WaitedOn, { readonly ms: number }][])
    take(causeOf[server], use.ms);
  take('processor', busyMs);
  take('other', left);
  return parts;
}

/** Milliseconds by cause; of one stage where one is named. */
export function byCause({ parts }: TimeSpread, stage?: string): Partial<Record<Cause, number>> {
  const sums = causes.map((cause) => {
    const those = parts.filter((part) => part.cause === cause && (stage === undefined || part.stage === stage));
    return [cause, those.reduce((sum, { ms }) => sum + ms, 0)] as const;
  });
  return Object.fromEntries(sums.filter(([, ms]) => ms > 0));
}

/** The middle one; of an even number the middle of the two. Undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.floor(sorted.length / 2);
  const [upper, lower] = [sorted[at], sorted[at - 1]];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}
