import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { ids, taskQueues } from '../definition/names.ts';
import type { reindex } from '../workflows/index.ts';
import type { ReindexInput, ReindexReport } from '../workflows/messages.ts';
import { failureOf } from './failure-of.ts';
import { resultOf } from './result-of.ts';

/** Rebuilds of a pipeline’s indices. */
export class Rebuilds {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts a rebuild of a pipeline's indices; `running` where one is on its way, which goes on as it was begun. */
  async start(input: ReindexInput): Promise<{ workflowId: string; running: boolean }> {
    const workflowId = ids.reindex(input.pipeline.name, input.dryRun === true);
    try {
      await this.#client.workflow.start<typeof reindex>('reindex', {
        workflowId,
        taskQueue: taskQueues.light,
        args: [input],
        staticSummary: `Rebuilds the indices of ${input.pipeline.name}`,
      });
      return { workflowId, running: false };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return { workflowId, running: true };
    }
  }

  /** Waits for a rebuild to end. @throws SluiceError what failed it */
  async result(workflowId: string): Promise<ReindexReport> {
    try {
      return await resultOf<ReindexReport>(this.#client, { workflowId });
    } catch (error) {
      throw failureOf(error);
    }
  }
}
