import type { RunTiming, StageTimes, WaitedOn } from './timing.ts';

/** As much of a run's report as says what its stages took. */
export interface TimedStages {
  readonly stages: readonly {
    readonly stage: string;
    readonly startedAt: string;
    readonly ms: number;
    readonly rows?: number;
    readonly times?: StageTimes;
  }[];
  readonly timing?: RunTiming;
}

/** A stage in a table. Milliseconds; what is not known is left out. */
export interface StageRow {
  readonly stage: string;
  readonly ms: number;
  /** What it took in the runs before, their median. */
  readonly usualMs?: number;
  readonly queueMs?: number;
  readonly runMs?: number;
  readonly retryMs?: number;
  /** On purpose; a pause in front of it is in it, though not in what the stage took. */
  readonly waitMs?: number;
  readonly rowsPerSecond?: number;
  readonly usualRowsPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** With whom a stage exchanges the bytes that it is about; of several the first that it had to do with. */
const bytesWith: ReadonlyMap<string, readonly WaitedOn[]> = new Map([
  ['import', ['source', 'store']],
  ['clean', ['store']],
  ['publish', ['broker']],
  ['index', ['search']],
] as const);

/** The stages of a run with what they took, part by part, and in the runs before. */
export function stageRows({ stages, timing }: TimedStages): StageRow[] {
  return stages.map(({ stage, ms, rows, times }) => {
    const usual = timing?.usual.find((one) => one.stage === stage);
    const bytes = (bytesWith.get(stage) ?? []).map((server) => times?.on[server]?.bytes ?? 0).find((sum) => sum > 0);
    const perSecond = (amount: number): number => Math.round((amount / ms) * 1_000);
    return {
      ...{ stage, ms },
      ...(usual === undefined ? {} : { usualMs: usual.ms }),
      ...(times === undefined ? {} : partsOf(times)),
      ...(rows === undefined || ms <= 0 ? {} : { rowsPerSecond: perSecond(rows) }),
      ...(usual?.rowsPerSecond === undefined ? {} : { usualRowsPerSecond: usual.rowsPerSecond }),
      ...(bytes === undefined || ms <= 0 ? {} : { bytesPerSecond: perSecond(bytes) }),
    };
  });
}

const partsOf = ({ queueMs, runMs, retryMs, waitMs, heldMs = 0 }: StageTimes) => ({
  ...{ queueMs, runMs, retryMs, waitMs: waitMs + heldMs },
});

/** A stage on the way that a run's end waited for. */
export interface PathStep {
  readonly stage: string;
  /** Of several data sets side by side the one that took longest. */
  readonly longest?: string;
  readonly ms: number;
  /** Of all stages, 0 to 1. */
  readonly share: number;
}

/**
 * The critical path. Stages come one after the other, and within each what took longest: so it is all of them, and only those are named
 * that took a part worth naming.
 * @param least share from which on a stage is named
 */
export function criticalPath({ stages }: TimedStages, least = 0.05): PathStep[] {
  const all = stages.reduce((sum, { ms, times }) => sum + ms + (times?.heldMs ?? 0), 0);
  if (all === 0) return [];
  return stages.flatMap(({ stage, ms, times }) => {
    const took = ms + (times?.heldMs ?? 0);
    const { longest } = times ?? {};
    return took / all < least
      ? []
      : [{ stage, ...(longest === undefined ? {} : { longest }), ms: took, share: took / all }];
  });
}
