import type { Judged } from '../activities/index.ts';
import { problemOf } from './failure.ts';
import type { RunInput } from './messages.ts';
import type { RunLog } from './run-log.ts';
import { stageActivities } from './stage-activities.ts';

/** Nobody waits long for a judgement: what is odd now is so in an hour. */
const ATTEMPTS = 2;

/**
 * Judges a run that has gone through by those before it, and puts into its report what is odd. Never throws: a monitor that fails is a warning in the report.
 * @returns what is to be told to incidents; undefined where nobody judged
 */
export async function judgeRun({ pipeline }: RunInput, run: RunLog): Promise<Judged | undefined> {
  const { judgeRun: judge } = stageActivities('light', { ...pipeline.retries, attempts: ATTEMPTS }, 'report: monitors');
  try {
    const judged = await judge({ pipeline, report: run.soFar() });
    const { anomalies, watched, failed } = judged;
    if (failed !== undefined) run.warn(notJudged(failed));
    if (watched) run.found({ anomalies, watched });
    return judged;
  } catch (error) {
    run.warn(notJudged(problemOf(error).message));
    return undefined;
  }
}

const notJudged = (why: string): string => `The monitors did not judge this run: ${why}`;
