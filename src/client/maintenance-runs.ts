import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { ids, taskQueues } from '../definition/names.ts';
import type { maintenance } from '../workflows/index.ts';
import type { MaintenanceInput, MaintenanceReport } from '../workflows/maintenance-messages.ts';
import { failureOf } from './failure-of.ts';
import { resultOf } from './result-of.ts';

/** Maintenance of what a pipeline has stored, asked for by hand. */
export class MaintenanceRuns {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts maintenance of a pipeline now. @returns the id of its workflow */
  async start(input: MaintenanceInput): Promise<string> {
    const workflowId = `${ids.maintenance(input.pipeline.name)}-${new Date().toISOString()}-${randomUUID().slice(0, 8)}`;
    await this.#client.workflow.start<typeof maintenance>('maintenance', {
      workflowId,
      taskQueue: taskQueues.light,
      args: [input],
    });
    return workflowId;
  }

  /**
   * Waits for maintenance to end.
   * @throws SluiceError with its own code and sentence where it failed
   */
  async result(workflowId: string): Promise<MaintenanceReport> {
    try {
      return await resultOf<MaintenanceReport>(this.#client, { workflowId });
    } catch (error) {
      throw failureOf(error);
    }
  }
}
