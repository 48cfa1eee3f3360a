import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { classifyErrors } from '../activities/error-interceptor.ts';
import { createActivities } from '../activities/index.ts';
import { taskQueues } from '../definition/names.ts';
import type { StageDeps } from '../stages/deps.ts';
import { completionFailPoint } from './completion-fail-point.ts';

export interface WorkerSetOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly deps: StageDeps;
  readonly bundle?: WorkflowBundleWithSourceMap;
}

const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** The workflows as one bundle. Takes seconds; tests make it once. */
export const bundleWorkflows = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });

/**
 * One worker a task queue, in this process: workflows and waiting work; cleaning and publishing, two at a time; consumers, which hold a
 * slot for hours each.
 */
export async function createWorkers(options: WorkerSetOptions): Promise<Worker[]> {
  const { connection, namespace, deps } = options;
  const bundle = options.bundle ?? (await bundleWorkflows());
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    activities: createActivities(deps),
    interceptors: { activity: [completionFailPoint, classifyErrors] },
    shutdownForceTime: '20s',
    // A cancellation travels back on a heartbeat's answer; by default the SDK holds beats back for 0.8 of the timeout, 24 s.
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
  };
  return Promise.all([
    Worker.create({
      ...common,
      taskQueue: taskQueues.light,
      workflowBundle: bundle,
      maxConcurrentActivityTaskExecutions: 20,
    }),
    Worker.create({ ...common, taskQueue: taskQueues.compute, maxConcurrentActivityTaskExecutions: 2 }),
    Worker.create({ ...common, taskQueue: taskQueues.streaming, maxConcurrentActivityTaskExecutions: 50 }),
  ]);
}

/** Runs workers until `signal` aborts; then each finishes what it holds, or hands it back. */
export async function runWorkers(workers: readonly Worker[], signal: AbortSignal): Promise<void> {
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  // One that fails takes the others down: a process that does half of its work looks alive and is not.
  const running = workers.map((worker) => worker.run().finally(stop));
  if (signal.aborted) stop();
  await Promise.all(running);
}
