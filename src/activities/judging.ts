import { sentenceOf } from '../definition/errors.ts';
import type { StageDeps } from '../stages/deps.ts';
import { judgeRun, type Judged, type JudgeRunInput } from '../stages/watching/judge-run.ts';
import { aborted } from './aborted.ts';
import { attended } from './attended.ts';

const PATIENCE_MS = 60_000;

/** What judges a run that has gone through. @param patienceMs how long its end waits for that */
export function judgingActivities(deps: StageDeps, patienceMs = PATIENCE_MS) {
  return {
    /** Judges a run by those before it. Whatever goes wrong is said in what it gives, for it is no reason to fail a run. */
    judgeRun: (input: JudgeRunInput): Promise<Judged> =>
      attended(async (context) => {
        const over = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
        try {
          return await Promise.race([judgeRun(deps, input, { ...context, signal: over }), aborted(over)]);
        } catch (error) {
          context.signal.throwIfAborted();
          const failed = over.aborted ? `it took longer than ${patienceMs / 1_000} s.` : sentenceOf(error);
          return { anomalies: [], observations: [], clearings: [], failed };
        }
      }),
  };
}
