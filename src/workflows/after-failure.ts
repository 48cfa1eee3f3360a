import { CancelledFailure, isCancellation, log, patched } from '@temporalio/workflow';
import { failure, problemOf } from './failure.ts';
import type { RunInput } from './messages.ts';
import type { RunControl } from './run-control.ts';
import type { RunLog } from './run-log.ts';
import { stageActivities } from './stage-activities.ts';

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
  const cancelled = isCancellation(error) || (control.cancelling && patched('cancelled-whatever-failed'));
  return cancelled ? afterCancel(input, run, control, error) : afterProblem(input, run, error);
}

async function afterProblem({ pipeline: definition }: RunInput, run: RunLog, error: unknown): Promise<unknown> {
  const problem = problemOf(error);
  const report = run.report('failed', problem);
  const { writeReport, sendFailureAlert } = stageActivities('light', definition.retries, 'after a failure');
  await allOf([writeReport(report, definition), sendFailureAlert({ pipeline: definition, report })]);
  return failure(problem);
}

async function afterCancel(
  { pipeline: definition }: RunInput,
  run: RunLog,
  control: RunControl,
  error: unknown,
): Promise<unknown> {
  const { writeReport, cancelRun } = stageActivities('light', definition.retries, 'after a cancellation');
  const problem = { code: 'Cancelled', message: 'The run was cancelled.' };
  await allOf([writeReport(run.report('cancelled', problem), definition)]);
  await allOf([control.endCancelled(() => cancelRun(run.execution))]);
  return isCancellation(error) ? error : new CancelledFailure(problem.message);
}

/** Waits for all of them; what fails is logged. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const attempt of await Promise.allSettled(work)) {
    if (attempt.status === 'rejected') log.warn('after a failure', { problem: problemOf(attempt.reason).message });
  }
}
