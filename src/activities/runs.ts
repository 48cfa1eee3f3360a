import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { RunReport } from '../stages/run-report.ts';
import { attended } from './attended.ts';

/** How a run is found. */
export interface RunLook {
  readonly runId: string;
  /** Absent while it runs. */
  readonly report?: RunReport;
}

/** What workflows ask of runs that are not their children. */
export function runActivities() {
  return {
    /**
     * Waits for a run to end, whoever started it. Holds a place of the light queue meanwhile: only launches still ask for it that
     * were on their way before there was `lookAtRun`.
     * @returns its report
     * @throws its own failure; `Cancelled` where it was cancelled or terminated
     */
    awaitRun: ({ workflowId }: { readonly workflowId: string }): Promise<RunReport> =>
      attended(async ({ signal }) => {
        const { client } = Context.current();
        try {
          return await client.withAbortSignal(signal, () =>
            client.workflow.getHandle<() => Promise<RunReport>>(workflowId).result(),
          );
        } catch (error) {
          throw failureOfRun(error);
        }
      }),

    /**
     * Looks whether a run is over, whoever started it, and does not wait.
     * @param runId left out: the newest of this id
     * @returns its report once it has completed; before, only which run it is
     * @throws its own failure; `Cancelled` where it was cancelled or terminated
     */
    lookAtRun: (run: { readonly workflowId: string; readonly runId?: string }): Promise<RunLook> =>
      attended(async ({ signal }) => {
        const { client } = Context.current();
        try {
          return await client.withAbortSignal(signal, async () => {
            const { status, runId } = await client.workflow.getHandle(run.workflowId, run.runId).describe();
            if (status.name === 'RUNNING' || status.name === 'PAUSED') return { runId };
            return { runId, report: await client.workflow.result<() => Promise<RunReport>>(run.workflowId, runId) };
          });
        } catch (error) {
          throw failureOfRun(error);
        }
      }),

    /** Asks Temporal to cancel a run. One that is over, or was asked before, is left as it is. */
    cancelRun: ({ workflowId, runId }: { readonly workflowId: string; readonly runId: string }): Promise<void> =>
      attended(async () => {
        try {
          await Context.current().client.workflow.getHandle(workflowId, runId).cancel();
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return;
          throw new SluiceError('Unexpected', `Temporal does not cancel ${workflowId}: ${sentenceOf(error)}.`);
        }
      }),
  };
}

function failureOfRun(error: unknown): Error {
  if (error instanceof WorkflowNotFoundError) {
    const message = 'Temporal does not know the run any more: look for its report in the object store.';
    return ApplicationFailure.nonRetryable(message, 'Unexpected');
  }
  if (!(error instanceof WorkflowFailedError)) {
    return new SluiceError('Unexpected', `Temporal does not say how the run ended: ${sentenceOf(error)}.`);
  }
  const { cause } = error;
  if (cause instanceof ApplicationFailure) return ApplicationFailure.nonRetryable(cause.message, cause.type);
  const how =
    cause instanceof CancelledFailure ? 'was cancelled' : `ended without a result: ${sentenceOf(cause ?? error)}`;
  return ApplicationFailure.nonRetryable(`The run ${how}.`, 'Cancelled');
}
