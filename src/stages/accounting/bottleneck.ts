import type { Bottleneck, Cause, RunTiming, UsualStage } from '../../definition/timing.ts';
import type { RunReport } from '../run-report.ts';
import { spanText } from '../../definition/amounts.ts';
import { advice, evidenceOf, longerSentence, shareSentence, shareText } from './bottleneck-words.ts';
import { BETWEEN, byCause, median, spreadOf, type TimedRun, type TimeSpread } from './time-spread.ts';

/** A run that the others are compared with, or one of those. */
export type JudgedRun = TimedRun & Pick<RunReport, 'clean'>;

/** What is known of the servers besides. */
export type ServerFigures = Pick<RunTiming, 'servers' | 'counters'>;

/** A stage that has so much of what went to a cause stands for it; otherwise it is the run's. */
const ALONE = 0.75;
/** A run is slower than the others only by so much, and by so many times. */
const SLOWER_MS = 2_000;
const SLOWER_TIMES = 1.5;
/** Fewer runs say nothing of what is usual. */
const FEW_RUNS = 3;

/**
 * Where a run's time went, against the runs before it, and which one thing took most of it.
 * @param earlier the runs to compare with, in any order
 */
export function judgeTiming(run: JudgedRun, earlier: readonly JudgedRun[], figures: ServerFigures = {}): RunTiming {
  const spread = spreadOf(run);
  const spreads = earlier.map(spreadOf);
  const usualMs = median(spreads.map(({ totalMs }) => totalMs));
  const bottleneck = bottleneckOf(run, spread, spreads, earlier, figures);
  const slower = slowerOf(spread, spreads, usualMs);
  return {
    runs: earlier.length,
    ...(usualMs === undefined ? {} : { usualMs }),
    causes: byCause(spread),
    usual: usualStages(run, earlier),
    ...(bottleneck ? { bottleneck } : {}),
    ...(slower === undefined ? {} : { slower }),
    ...figures,
  };
}

const lastRuns = (runs: number): string => (runs === 1 ? 'last run' : `last ${runs} runs`);

function bottleneckOf(
  run: JudgedRun,
  spread: TimeSpread,
  spreads: readonly TimeSpread[],
  earlier: readonly JudgedRun[],
  figures: ServerFigures,
): Bottleneck | undefined {
  const { totalMs } = spread;
  const all = Object.entries(byCause(spread)) as [Cause, number][];
  const [largest] = all.toSorted(([, a], [, b]) => b - a);
  // Where most is untold, the largest of the rest says nothing.
  if (largest === undefined || largest[0] === 'untold' || totalMs === 0) return undefined;
  const [cause, sum] = largest;
  const { stage, others, alone, stageMs: most } = mainStage(spread, cause);
  const ms = alone ? most : sum;
  const share = ms / totalMs;
  const usual = median(
    spreads.filter(tells).map((one) => (byCause(one, alone ? stage : undefined)[cause] ?? 0) / one.totalMs),
  );
  const where = alone ? { stage } : { stage, others };
  const before = usual === undefined ? '' : `; ${lastRuns(earlier.length)} ${shareText(usual)}`;
  return {
    ...{ cause, stage, ms, share },
    ...(usual === undefined ? {} : { usual }),
    sentence: `${shareSentence(cause, where, share, run)}${before}`,
    evidence: evidenceOf(cause, stage, run, usualMsOf(stage, earlier), figures.servers),
    suggestion: advice(cause, stage, run, figures.servers),
  };
}

function slowerOf(spread: TimeSpread, spreads: readonly TimeSpread[], usualMs: number | undefined): string | undefined {
  const { totalMs } = spread;
  if (usualMs === undefined || spreads.length < FEW_RUNS) return undefined;
  if (totalMs < usualMs * SLOWER_TIMES || totalMs - usualMs < SLOWER_MS) return undefined;
  const own = byCause(spread);
  const told = spreads.filter(tells);
  const more = (Object.keys(own) as Cause[]).map((cause) => ({
    cause,
    ms: (own[cause] ?? 0) - (median(told.map((one) => byCause(one)[cause] ?? 0)) ?? 0),
    ...mainStage(spread, cause),
  }));
  const [most] = more.toSorted((a, b) => b.ms - a.ms);
  const why =
    most === undefined || told.length === 0
      ? ''
      : `; ${longerSentence(most.cause, most.alone ? most.stage : BETWEEN, most.ms)}`;
  return `the run took ${spanText(totalMs)}, the ${lastRuns(spreads.length)} ${spanText(usualMs)}${why}`;
}

/** Whether the workers of a run said where its time went; older ones did not. */
const tells = (spread: TimeSpread): boolean => spread.totalMs > 0 && (byCause(spread).untold ?? 0) === 0;

/** Where most of a cause was; `alone` where that is nearly all of it. */
function mainStage({ parts }: TimeSpread, cause: Cause) {
  const those = parts.filter((part) => part.cause === cause);
  const msOf = (stage: string): number => those.reduce((sum, part) => sum + (part.stage === stage ? part.ms : 0), 0);
  const stages = [...new Set(those.map(({ stage }) => stage))];
  const [stage = BETWEEN, ...others] = stages.toSorted((a, b) => msOf(b) - msOf(a));
  const alone = msOf(stage) >= those.reduce((sum, { ms }) => sum + ms, 0) * ALONE;
  return { stage, others, alone, stageMs: msOf(stage) };
}

const tookIn = ({ stages }: TimedRun, name: string): number =>
  stages.reduce((sum, { stage, ms }) => sum + (stage === name ? ms : 0), 0);

function usualMsOf(stage: string, earlier: readonly JudgedRun[]): number | undefined {
  return median(
    earlier.filter(({ stages }) => stages.some((one) => one.stage === stage)).map((one) => tookIn(one, stage)),
  );
}

/** What the stages of a run took in those before it. */
function usualStages({ stages }: TimedRun, earlier: readonly TimedRun[]): UsualStage[] {
  return [...new Set(stages.map(({ stage }) => stage))].flatMap((stage) => {
    const those = earlier.map((run) => run.stages.filter((one) => one.stage === stage)).filter((one) => one.length > 0);
    const ms = median(those.map((same) => same.reduce((sum, one) => sum + one.ms, 0)));
    if (ms === undefined) return [];
    const told = those.flatMap((same) => {
      const times = same.flatMap((one) => one.times ?? []);
      return times.length === 0 ? [] : [times];
    });
    const part = (name: 'queueMs' | 'runMs' | 'retryMs' | 'waitMs'): number =>
      median(told.map((times) => times.reduce((sum, one) => sum + one[name], 0))) ?? 0;
    const rates = those.flatMap((same) =>
      same.flatMap(({ rows, ms: took }) => (rows && took > 0 ? [(rows / took) * 1_000] : [])),
    );
    const rate = median(rates);
    return [
      {
        ...{ stage, runs: those.length, ms },
        ...(told.length === 0
          ? {}
          : {
              parts: {
                queueMs: part('queueMs'),
                runMs: part('runMs'),
                retryMs: part('retryMs'),
                waitMs: part('waitMs'),
              },
            }),
        ...(rate === undefined ? {} : { rowsPerSecond: Math.round(rate) }),
      },
    ];
  });
}
