import { durationMs } from './duration.ts';
import { workStages } from './names.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { retriesOf, type StageRetries } from './retries.ts';

/** What the schema cannot see of retries and deadlines. Temporal takes no policy whose waits begin at zero, or shrink. */
export function limitChecks({ retries, deadlines }: Pipeline): Finding[] {
  const { run, stages = {} } = deadlines;
  const findings = waits(['retries'], retries, retries);
  for (const stage of workStages) {
    const own = retries.stages?.[stage];
    if (own && Object.keys(own).length > 0) {
      findings.push(...waits(['retries', 'stages', stage], own, retriesOf(retries, stage)));
    }
    const limit = stages[stage];
    const path = ['deadlines', 'stages', stage];
    if (limit === undefined) continue;
    findings.push(...none(path, limit));
    if (run !== undefined && durationMs(limit) > durationMs(run)) {
      findings.push({ path, message: `is longer than deadlines.run (${run}), which ends the run before` });
    }
  }
  return run === undefined ? findings : [...findings, ...none(['deadlines', 'run'], run)];
}

/** @param own what stands there; @param whole with what it leaves out */
function waits(
  path: readonly string[],
  own: { readonly initialInterval?: string | undefined },
  whole: StageRetries,
): Finding[] {
  const { initialInterval, maximumInterval } = whole;
  if (durationMs(initialInterval) === 0) return none([...path, 'initialInterval'], initialInterval);
  if (durationMs(maximumInterval) >= durationMs(initialInterval)) return [];
  const [at, message] =
    own.initialInterval === undefined
      ? ['maximumInterval', `is shorter than initialInterval (${initialInterval}), the first wait`]
      : ['initialInterval', `is longer than maximumInterval (${maximumInterval}): say one beside it that is as long`];
  return [{ path: [...path, at], message }];
}

function none(path: readonly string[], text: string): Finding[] {
  return durationMs(text) > 0 ? [] : [{ path, message: `"${text}" is no time: say 1s or more` }];
}
