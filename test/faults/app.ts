import { join } from 'node:path';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { newNamespace } from '../helpers/namespace.ts';
import { untilStage } from '../helpers/until-stage.ts';
import { bundleVariables } from '../helpers/worker-bundle.ts';
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
    const namespace = await newNamespace(lab.environment['TEMPORAL_ADDRESS']);
    const environment = { ...lab.environment, ...bundleVariables, TEMPORAL_NAMESPACE: namespace };
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
