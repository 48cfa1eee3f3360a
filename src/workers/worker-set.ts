import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type NativeConnection,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import { timeAttempts } from '../activities/attempt-timing.ts';
import { classifyErrors } from '../activities/error-interceptor.ts';
import { createActivities } from '../activities/index.ts';
import { logAttempts } from '../activities/log-attempts.ts';
import { measureActivities } from '../activities/measuring.ts';
import { traceAttempts } from '../activities/trace-attempts.ts';
import { activeTracer } from '../connectors/tracing.ts';
import type { QueueName, WorkerSettings } from '../connectors/worker-settings.ts';
import { taskQueues } from '../definition/names.ts';
import type { StageDeps } from '../stages/deps.ts';
import { completionFailPoint } from './completion-fail-point.ts';
import { workflowSpans } from './workflow-spans.ts';

export interface WorkerSetOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly deps: StageDeps;
  readonly settings: WorkerSettings;
  /** The workflows; asked for where a queue is served that has some. */
  readonly bundle: () => Promise<WorkflowBundle>;
}

const pathOf = (name: string): string => fileURLToPath(new URL(`../workflows/${name}`, import.meta.url));

/** The workflows as one bundle. Takes seconds; tests make it once. */
export const bundleWorkflows = (): ReturnType<typeof bundleWorkflowCode> =>
  bundleWorkflowCode({
    workflowsPath: pathOf('index.ts'),
    // In every bundle: one that is made beforehand does not know whether there will be traces. Without any it adds nothing.
    workflowInterceptorModules: [pathOf('trace-headers.ts')],
    logger: new DefaultLogger('WARN'),
  });

/** One worker a task queue, in this process. Workflows are on the light queue; those that tell of problems, on that of the watch. */
export async function createWorkers(options: WorkerSetOptions): Promise<Worker[]> {
  const { connection, namespace, deps, settings } = options;
  const { graceMs, forceMs, queues, version } = settings;
  const tracer = activeTracer();
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    activities: createActivities(deps),
    interceptors: {
      activity: [
        ...(deps.metrics ? [measureActivities(deps.metrics)] : []),
        ...(tracer ? [traceAttempts] : []),
        ...[logAttempts, completionFailPoint, timeAttempts(deps), classifyErrors],
      ],
    },
    shutdownGraceTime: graceMs,
    shutdownForceTime: forceMs,
    // A cancellation travels back on a heartbeat's answer; by default the SDK holds beats back for 0.8 of the timeout, 24 s.
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
    // A run ends on the build that it began with; workflows without an end say otherwise themselves.
    ...(version === undefined
      ? {}
      : {
          workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' as const },
        }),
  };
  let made: Promise<WorkflowBundle> | undefined;
  const workflows = async (): Promise<Partial<WorkerOptions>> => {
    const { code } = await (made ??= options.bundle());
    // What src/workflows/versioning.ts and trace-headers.ts read. No other way leads from a worker's options to what its workflows say of themselves.
    const says = [
      ...(version === undefined ? [] : ['globalThis.sluiceIsVersioned = true;']),
      ...(tracer ? [`globalThis.sluiceTraceRatio = ${tracer.ratio};`] : []),
    ];
    const sinks = tracer && workflowSpans(tracer);
    return { workflowBundle: { code: `${says.join('')}${code}` }, ...(sinks ? { sinks } : {}) };
  };
  const own: Readonly<Record<QueueName, () => Promise<Partial<WorkerOptions>>>> = {
    light: workflows,
    // Those that tell of problems. All are in the bundle: a queue has the same code wherever it is served.
    watch: workflows,
    compute: async () => ({}),
    // A consumer would not come to an end by waiting for it.
    streaming: async () => ({ shutdownGraceTime: 0 }),
  };
  return Promise.all(
    [...queues].map(async ([name, size]) =>
      Worker.create({
        ...common,
        taskQueue: taskQueues[name],
        maxConcurrentActivityTaskExecutions: size,
        ...(await own[name]()),
      }),
    ),
  );
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
  const ended = await Promise.allSettled(running);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}
