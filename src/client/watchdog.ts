import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ids, taskQueues } from '../definition/names.ts';
import type { WatchdogInput, WatchdogState } from '../workflows/watchdog-messages.ts';
import { answerOf } from './query-worker.ts';

/** How the watchdog stands; without `state` where no worker answers for it, or it has not looked yet. */
export interface WatchdogView {
  readonly running: boolean;
  readonly state?: WatchdogState;
}

/** The workflow that watches a namespace from outside of runs. There is one. */
export class Watchdog {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Starts it, unless it runs. May be called at any time, by any number at once. */
  async start(input: WatchdogInput = {}): Promise<void> {
    await this.#client.workflow.start('watchdog', {
      ...{ workflowId: ids.watchdog, taskQueue: taskQueues.watch, args: [input] },
      ...{ workflowIdConflictPolicy: 'USE_EXISTING', workflowIdReusePolicy: 'ALLOW_DUPLICATE' },
      staticSummary: 'Watches schedules, workers, consumers and indices',
    });
  }

  /** Starts it where it does not run. @returns whether it had to be started */
  async keep(): Promise<boolean> {
    if (await this.#runs()) return false;
    await this.start();
    return true;
  }

  async view(): Promise<WatchdogView> {
    if (!(await this.#runs())) return { running: false };
    const handle = this.#client.workflow.getHandle(ids.watchdog);
    const state = await answerOf<WatchdogState | null>(this.#client, handle, 'state');
    return { running: true, ...(state ? { state } : {}) };
  }

  async #runs(): Promise<boolean> {
    try {
      const { status } = await this.#client.workflow.getHandle(ids.watchdog).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}
