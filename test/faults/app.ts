import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { untilStage } from '../helpers/until-stage.ts';
import { SluiceClient } from '../../src/client/sluice-client.ts';
import type { Environment, Hour, Lab } from './lab.ts';

/** A worker in a namespace of its own: scenarios that kill theirs leave those of others alone. */
export class App {
  readonly client: SluiceClient;
  worker: WorkerProcess;
  readonly #environment: Environment;
  readonly #log: string;

  private constructor(client: SluiceClient, worker: WorkerProcess, environment: Environment, log: string) {
    this.client = client;
    this.worker = worker;
    this.#environment = environment;
    this.#log = log;
  }

  /** @param own What this first worker gets beside the lab's environment: a fail point. */
  static async start(lab: Lab, own: Environment = {}): Promise<App> {
    const namespace = `n-${randomBytes(4).toString('hex')}`;
    await makeNamespace(lab.environment['TEMPORAL_ADDRESS'] ?? '', namespace);
    const environment = { ...lab.environment, TEMPORAL_NAMESPACE: namespace };
    const log = join(lab.folder, `${namespace}.log`);
    const worker = await startWorker({ ...environment, ...own }, log);
    return new App(await SluiceClient.connect(environment), worker, environment, log);
  }

  /** Starts a worker without a fail point, where the last one has ended. */
  async restart(): Promise<void> {
    await this.worker.ended;
    this.worker = await startWorker(this.#environment, this.#log);
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.worker.pid, signal);
  }

  async launch({ pipeline, hour }: Hour): Promise<string> {
    return (await this.client.runs.launch({ pipeline, hour, useCurrent: true })).workflowId;
  }

  /** Waits until a run is in a stage. */
  untilStage(workflowId: string, stage: string): Promise<void> {
    return untilStage(this.client, workflowId, stage, 1_200);
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.worker.stop();
  }
}

/** A namespace with the search attributes of ours. It takes a moment until every part of the server knows it. */
async function makeNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    // 2, 3 and 6: Keyword, Int and Datetime in Temporal's API.
    const searchAttributes = {
      PipelineName: 2,
      PipelineHour: 6,
      PipelineStage: 2,
      PipelineOutcome: 2,
      PipelineRows: 3,
    };
    for (let tries = 0; ; tries += 1) {
      try {
        await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
        if (customAttributes?.['PipelineName'] !== undefined) return;
      } catch (error) {
        if (tries > 100) throw error;
      }
      await wait(300);
    }
  } finally {
    await connection.close();
  }
}
