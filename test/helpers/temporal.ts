import { join } from 'node:path';
import { defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker, WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, Runtime, Worker as TemporalWorker } from '@temporalio/worker';
import { sentenceOf } from '../../src/definition/errors.ts';
import { timeAttempts } from '../../src/activities/attempt-timing.ts';
import { classifyErrors } from '../../src/activities/error-interceptor.ts';
import { createActivities, type Activities } from '../../src/activities/index.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import { taskQueues } from '../../src/definition/names.ts';
import type { Tracer } from '../../src/connectors/tracing.ts';
import { traceAttempts } from '../../src/activities/trace-attempts.ts';
import { workflowSpans } from '../../src/workers/workflow-spans.ts';
import { attributes } from '../../src/workflows/attributes.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provision } from '../../stack/provision.ts';
import { versions } from '../../stack/versions.ts';
import { workflowBundle } from './worker-bundle.ts';

/** The Temporal program of the stack's cache; undefined, with the reason printed, where it cannot be had. */
export const program: string | undefined = await provision(
  { name: 'temporal', version: versions.temporal },
  new StackProgress(() => {}),
).then(
  (folder) => join(folder, 'temporal'),
  (error: unknown) => {
    console.error(`Workflow tests are skipped: ${sentenceOf(error)}`);
    return undefined;
  },
);
export const noTemporal = program === undefined;

// Failed activities and workflows are what these tests are about.
Runtime.install({ logger: new DefaultLogger('ERROR') });

const withWorkflows: readonly string[] = [taskQueues.light, taskQueues.watch];

/** Stages as a test wants them; what it leaves out throws. */
export type FakeActivities = { [Name in keyof Activities]?: (...given: never[]) => Promise<unknown> };

/**
 * A Temporal server of its own with the real workflows, and fake stages: for what real ones will not do on demand. A test sets
 * `stages` before it starts a workflow.
 */
export class WorkflowLab {
  readonly temporal: TestWorkflowEnvironment;
  stages: FakeActivities = {};
  /** What is asked of the object store by what stands around activities. */
  store = {} as StageDeps['store'];
  /** Tells traces, of workers that begin after it is set. */
  tracer: Tracer | undefined;
  readonly #bundle: WorkflowBundle;
  readonly #workers = new Map<string, { readonly worker: Worker; readonly running: Promise<void> }>();

  private constructor(temporal: TestWorkflowEnvironment, bundle: WorkflowBundle) {
    this.temporal = temporal;
    this.#bundle = bundle;
  }

  static async start(): Promise<WorkflowLab> {
    const [temporal, bundle] = await Promise.all([
      TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'existing-path', path: program ?? '' },
          searchAttributes: Object.values(attributes).map(({ name, type }) => defineSearchAttributeKey(name, type)),
        },
      }),
      workflowBundle(),
    ]);
    const lab = new WorkflowLab(temporal, bundle);
    await Promise.all(Object.values(taskQueues).map((taskQueue) => lab.#join(taskQueue)));
    return lab;
  }

  /** Does something while nobody works on one of the queues. */
  async without<T>(taskQueue: string, work: () => Promise<T>): Promise<T> {
    await this.#leave(taskQueue);
    try {
      return await work();
    } finally {
      await this.#join(taskQueue);
    }
  }

  async #join(taskQueue: string): Promise<void> {
    // Made and never called: it is their names that are wanted.
    const names = Object.keys(createActivities({} as StageDeps)) as (keyof Activities)[];
    const activities = Object.fromEntries(
      names.map((name) => [
        name,
        async (...given: never[]) => {
          const stage = this.stages[name];
          // Whoever halts or fails tells of it, and tries for an hour.
          if (!stage && name === 'tellOf') return undefined;
          if (!stage) throw new Error(`this test expects no ${name}`);
          return stage(...given);
        },
      ]),
    );
    const { tracer } = this;
    const code = `${tracer ? `globalThis.sluiceTraceRatio = ${tracer.ratio};` : ''}${this.#bundle.code}`;
    const worker = await TemporalWorker.create({
      connection: this.temporal.nativeConnection,
      taskQueue,
      activities,
      interceptors: { activity: [...(tracer ? [traceAttempts] : []), timeAttempts(this), classifyErrors] },
      maxHeartbeatThrottleInterval: '100ms',
      defaultHeartbeatThrottleInterval: '100ms',
      ...(withWorkflows.includes(taskQueue) ? { workflowBundle: { code } } : {}),
      ...(tracer ? { sinks: workflowSpans(tracer) } : {}),
    });
    this.#workers.set(taskQueue, { worker, running: worker.run() });
  }

  async #leave(taskQueue: string): Promise<void> {
    const left = this.#workers.get(taskQueue);
    this.#workers.delete(taskQueue);
    left?.worker.shutdown();
    await left?.running;
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(taskQueues).map((taskQueue) => this.#leave(taskQueue)));
    await this.temporal.teardown();
  }
}
