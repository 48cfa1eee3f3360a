import { log, patched } from '@temporalio/workflow';
import type { RunReport } from '../activities/index.ts';
import { mainDataset, streamName } from '../definition/names.ts';
import { cancellationOf, failure, problemOf, wasCancelled } from './failure.ts';
import type { RunInput } from './messages.ts';
import type { RunControl } from './run-control.ts';
import type { RunLog } from './run-log.ts';
import { stageActivities } from './stage-activities.ts';
import { tellOfFailure } from './telling.ts';

/**
 * What follows a run that did not go through: one that was cancelled removes what it alone had made, each stores its report, and whom the
 * definition names is told of a failure. None of that may hide what ended the run.
 * @returns what the workflow is to throw
 */
export async function afterFailure(
  input: RunInput,
  run: RunLog,
  control: RunControl,
  error: unknown,
): Promise<unknown> {
  run.end();
  // A stage may answer a cancellation with a failure of its own, as when its worker is gone.
  const cancelled = wasCancelled(error) || (control.cancelling && patched('cancelled-whatever-failed'));
  return cancelled ? afterCancel(input, run, control, error) : afterProblem(input, run, error);
}

async function afterProblem(input: RunInput, run: RunLog, error: unknown): Promise<unknown> {
  const { pipeline: definition } = input;
  const problem = problemOf(error);
  const report = run.report('failed', problem);
  const { writeReport, sendFailureAlert } = stageActivities('light', definition.retries, 'after a failure');
  const written = judging(run, report, writeReport(report, definition));
  // Runs that were on their way before there were incidents tell of it themselves.
  const telling = patched('incidents')
    ? tellOfFailure(input, report, error)
    : sendFailureAlert({ pipeline: definition, report });
  await allOf([written, telling]);
  return failure(problem);
}

async function afterCancel(input: RunInput, run: RunLog, control: RunControl, error: unknown): Promise<unknown> {
  const { pipeline: definition } = input;
  const { writeReport, cancelRun } = stageActivities('light', definition.retries, 'after a cancellation');
  const problem = { code: 'Cancelled', message: 'The run was cancelled.' };
  if (patched('discard-partial')) await tidyUp(input, run);
  const report = run.report('cancelled', problem);
  await allOf([judging(run, report, writeReport(report, definition))]);
  await allOf([control.endCancelled(() => cancelRun(run.execution))]);
  return cancellationOf(error);
}

/** The report says what storing it made of its times, too. That is heard beside: what waits for the same comes no step later, as a replay wants it. */
function judging<T extends Pick<RunReport, 'timing'>>(run: RunLog, report: RunReport, storing: Promise<T>): Promise<T> {
  void storing.then(
    ({ timing }) => run.judged(report, timing),
    () => {},
  );
  return storing;
}

/** Removes what the run alone had made. That it could not is told by the report; a day later gc takes what is temporary. */
async function tidyUp({ pipeline, hour }: RunInput, run: RunLog): Promise<void> {
  const { discardPartial } = stageActivities('light', pipeline.retries, 'what nobody needs any more');
  const streams = [mainDataset, ...pipeline.aggregate.map(({ name }) => name)].map((dataset) =>
    streamName(pipeline.name, dataset),
  );
  try {
    const discarded = await discardPartial({ pipeline: pipeline.name, hour, streams, ...run.leftBehind() });
    if (discarded.tallies.length > 0) run.found({ discarded });
  } catch (error) {
    const failed = problemOf(error);
    log.warn('after a cancellation', { problem: failed.message });
    run.found({ discarded: { tallies: [], failed } });
  }
}

/** Waits for all of them; what fails is logged. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const attempt of await Promise.allSettled(work)) {
    if (attempt.status === 'rejected') log.warn('after a failure', { problem: problemOf(attempt.reason).message });
  }
}
