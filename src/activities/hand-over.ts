import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';

/** Long enough for the polls of the worker that stops to be over: what one of them took up would be lost until its heartbeat is missed. */
const NEXT_ATTEMPT_AFTER_MS = 500;

/** A server that does not answer may not keep the worker from stopping. */
const UPDATE_DEADLINE_MS = 2_000;

/**
 * What an attempt ends with that was told to stop. Where the worker stops, and not the work, that is a failure which is tried again elsewhere at
 * once: the newest heartbeat goes with it, so the next attempt goes on from there.
 */
export async function stopped(context: Context): Promise<Error> {
  if (!workerStops(context)) return new CancelledFailure('cancelled');
  await giveAttemptBack(context);
  return ApplicationFailure.create({
    type: 'WorkerShutdown',
    message: 'The worker was told to stop; another goes on.',
    nextRetryDelay: NEXT_ATTEMPT_AFTER_MS,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Whether it is the worker that stops; a run that was cancelled, or an activity that was paused by hand, is told in the same way. */
export function workerStops({ cancellationDetails, cancellationSignal }: Context): boolean {
  return cancellationDetails?.workerShutdown === true && cancellationSignal.aborted;
}

/**
 * Allows the stage one attempt more, so that the one which ends here is not one of its own: a deployment would otherwise use up what is for
 * failures. Temporal (1.29) knows no failure that does not count. Where it does not let us, the attempt counts.
 */
async function giveAttemptBack(context: Context): Promise<void> {
  const { activityId, namespace, retryPolicy, workflowExecution: execution } = context.info;
  const allowed = retryPolicy?.maximumAttempts ?? 0;
  if (allowed === 0 || !Number.isFinite(allowed) || execution === undefined) return;
  try {
    const { connection } = context.client;
    // What is asked for in here would be stopped with the activity.
    await connection.withAbortSignal(new AbortController().signal, () =>
      connection.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
        connection.workflowService.updateActivityOptions({
          namespace,
          execution,
          id: activityId,
          activityOptions: { retryPolicy: { maximumAttempts: allowed + 1 } },
          updateMask: { paths: ['retry_policy.maximum_attempts'] },
        }),
      ),
    );
  } catch (error) {
    context.log.debug('this attempt counts', { error });
  }
}
