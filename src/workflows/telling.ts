import { ActivityFailure, log } from '@temporalio/workflow';
import type { Alerted, RunReport, Told } from '../activities/index.ts';
import type { Clearing, Fact, Observation } from '../definition/incidents.ts';
import { retriesOf } from '../definition/retries.ts';
import { problemOf } from './failure.ts';
import type { RunInput } from './messages.ts';
import { stageActivities, tellingRetries } from './stage-activities.ts';

/** Tells incidents of a run. Never throws: whether it can be told or not, the run goes on. */
async function tell(
  { pipeline: { name, alerts } }: RunInput,
  what: string,
  told: Pick<Told, 'observations' | 'clearings'>,
): Promise<void> {
  const { tellOf } = stageActivities('light', tellingRetries, `incidents: ${what}`);
  try {
    await tellOf({ pipeline: { name, alerts }, ...told });
  } catch (error) {
    log.warn(`incidents were not told: ${what}`, { problem: problemOf(error).message });
  }
}

/** A run has failed, and is not tried again. @param error what it threw */
export async function tellOfFailure(input: RunInput, report: RunReport, error: unknown): Promise<void> {
  const { code = 'Unexpected', stage = 'start', message = '' } = report.error ?? {};
  // Where all tries were made; one that failed for good had no other.
  const tries =
    error instanceof ActivityFailure && error.retryState === 'MAXIMUM_ATTEMPTS_REACHED'
      ? [{ name: 'Tries', value: String(retriesOf(input.pipeline.retries, stage).attempts) }]
      : [];
  await tell(input, `failed: ${code}`, {
    observations: [
      {
        ...{ pipeline: input.pipeline.name, rule: 'run-failed', subject: code, severity: 'critical' },
        ...{ sentence: message, facts: [...factsOf(report, stage), ...tries], at: report.endedAt, ...seenIn(report) },
      },
    ],
    clearings: [],
  });
}

/**
 * A run has gone through.
 * @param near whether a deadline of it was near: then those are not over
 * @param judged what the monitors made of it; undefined where they did not look
 */
export async function tellOfSuccess(
  input: RunInput,
  report: RunReport,
  near: boolean,
  judged: Pick<Told, 'observations' | 'clearings'> = { observations: [], clearings: [] },
): Promise<void> {
  const { pipeline, hour, outcome, endedAt: at } = report;
  const went = outcome === 'unchanged' ? 'has not changed' : 'went through';
  // A run that found nothing new, or began in the middle, says nothing of how long one takes.
  const inTime = !near && outcome === 'completed' && input.startFrom === undefined;
  const over = (rule: Clearing['rule'], sentence: string): Clearing => ({ pipeline, rule, hour, at, sentence });
  await tell(input, 'went through', {
    observations: judged.observations,
    clearings: [
      ...judged.clearings,
      over('run-failed', `The run of ${hour} ${went}.`),
      ...(!inTime ? [] : [over('deadline-near', `The run of ${hour} came near no deadline.`)]),
    ],
  });
}

/** A run, or a stage of it, is late. @param what `run`, or the stage */
export async function tellOfDeadline(input: RunInput, run: Alerted, what: string): Promise<void> {
  const { message = '', stage = what } = run.error ?? {};
  await tell(input, `deadline near: ${what}`, {
    observations: [
      {
        ...{ pipeline: input.pipeline.name, rule: 'deadline-near', subject: what, severity: 'warning' },
        ...{ sentence: message, facts: factsOf(run, stage), at: new Date().toISOString(), ...seenIn(run) },
      },
    ],
    clearings: [],
  });
}

/** The hour and the run: each run counts once, however often it is told. */
const seenIn = ({
  hour,
  workflowId,
  runId,
}: Alerted): Pick<Observation, 'hour' | 'workflowId' | 'runId' | 'occurrence'> => ({
  ...{ hour, workflowId, runId, occurrence: `${hour}/${runId}` },
});

const factsOf = ({ stages }: Alerted, stage: string): Fact[] => [
  { name: 'Stage', value: stage },
  ...(stages.length === 0
    ? []
    : [{ name: 'Stages', value: stages.map((one) => `${one.stage} ${(one.ms / 1_000).toFixed(1)} s`).join(', ') }]),
];
