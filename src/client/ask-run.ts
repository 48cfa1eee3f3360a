import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { errorCodes, SluiceError, sentenceOf, type ErrorCode } from '../definition/errors.ts';
import { hourOfRun } from '../definition/names.ts';
import { PATIENCE_MS } from './query-worker.ts';

/**
 * Asks something of a run that is on its way, or tells it something.
 * @param listedBy the command that lists what runs
 * @throws SluiceError `NotRunning` where it is over or was never there; its own code where it refuses; `NoWorker` where no worker answers
 */
export async function askRun<T>(
  client: Client,
  workflowId: string,
  question: (run: WorkflowHandle) => Promise<T>,
  listedBy = 'sluice status',
): Promise<T> {
  const run = hourOfRun(workflowId);
  const which = run ? `run of ${run.pipeline} ${run.hour}` : workflowId;
  const over = (): SluiceError =>
    new SluiceError('NotRunning', `No ${which} is on its way: "${listedBy}" lists those that are.`);
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await client.withDeadline(Date.now() + PATIENCE_MS, () => question(handle));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw over();
    if (error instanceof WorkflowUpdateFailedError) {
      const { cause } = error;
      if (cause instanceof ApplicationFailure && cause.type && cause.type in errorCodes)
        throw new SluiceError(cause.type as ErrorCode, cause.message);
      throw new SluiceError('NotRunning', `The ${which} refused: ${sentenceOf(cause ?? error)}`);
    }
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') throw over();
    throw new SluiceError('NoWorker', `No worker answers for the ${which}: start one with "npx sluice worker".`, {
      cause: error,
    });
  }
}
