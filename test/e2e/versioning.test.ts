import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { program } from '../helpers/temporal.ts';

const run = promisify(execFile);
const csv = 'id,kind,amount\na,x,1\nb,y,2\n';
const deployment = 'sluice';

/** On a namespace of its own: which build is current is the whole namespace's. */
describe.skipIf(noStack)('worker versioning', () => {
  const namespace = `v-${randomBytes(4).toString('hex')}`;
  let app: TestApp;
  let second: WorkerProcess | undefined;
  let third: WorkerProcess | undefined;
  /** The pipeline whose consumer goes from worker to worker. */
  let taken = '';

  /** The `temporal` command, as the documentation has it. */
  async function temporal(...args: string[]): Promise<void> {
    const address = String((await testStack()).environment['TEMPORAL_ADDRESS']);
    const where = ['--address', address, '--namespace', namespace];
    // A worker's queues are part of its version a moment after it began to poll.
    for (let tries = 0; ; tries += 1) {
      try {
        await run(String(program), [...args, ...where]);
        return;
      } catch (error) {
        if (tries === 60) throw error;
        await wait(1_000);
      }
    }
  }

  const setCurrent = (build: string): Promise<void> =>
    temporal(
      'worker',
      'deployment',
      'set-current-version',
      '--deployment-name',
      deployment,
      '--build-id',
      build,
      '--yes',
    );

  /** The build that a workflow is on, and whether it stays there: PINNED is 1 in Temporal's API, AUTO_UPGRADE 2. */
  async function versionOf(workflowId: string): Promise<{ build: string | undefined; behavior: number | undefined }> {
    const { raw } = await app.client.temporal.workflow.getHandle(workflowId).describe();
    const info = raw.workflowExecutionInfo?.versioningInfo;
    return { build: info?.deploymentVersion?.buildId ?? undefined, behavior: info?.behavior ?? undefined };
  }

  const asBuild = (build: string): Record<string, string> => ({
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_DEPLOYMENT_NAME: deployment,
    TEMPORAL_WORKER_BUILD_ID: build,
  });

  beforeAll(async () => {
    await temporal('operator', 'namespace', 'create');
    const attributes = ['PipelineName=Keyword', 'PipelineStage=Keyword', 'PipelineOutcome=Keyword'];
    const typed = [...attributes, 'PipelineHour=Datetime', 'PipelineRows=Int'].map((each) => each.split('='));
    const options = typed.flatMap(([name = '', type = '']) => ['--name', name, '--type', type]);
    await temporal('operator', 'search-attribute', 'create', ...options);
    app = await TestApp.start(asBuild('one'));
    await setCurrent('one');
  });

  afterAll(async () => {
    await third?.stop();
    await second?.stop();
    await app?.stop();
  });

  it('ends a run on the build that it began with, and takes a consumer along to the current one', async () => {
    const { pipeline } = app.define();
    app.serve(pipeline, { body: csv });
    const first = await app.client.runs.launch({ pipeline });
    expect((await app.client.runs.result(first.workflowId)).outcome).toBe('completed');
    taken = pipeline.name;
    const consumer = ids.consumer(taken, 0);
    expect(await versionOf(consumer)).toEqual({ build: 'one', behavior: 2 });

    const held = app.define().pipeline;
    let answer: (() => void) | undefined;
    app.serve(held, {
      body: '',
      handler: (_request, response) => {
        answer = () => response.writeHead(200, { 'content-type': 'text/csv' }).end(csv);
      },
    });
    const underWay = await app.client.runs.launch({ pipeline: held });
    await expect.poll(() => answer, { timeout: 60_000 }).toBeDefined();

    second = await startWorker({ ...app.environment, ...asBuild('two') }, join(app.folder, 'two.log'));
    await setCurrent('two');
    const later = await runNow(app.define().pipeline);
    expect(await versionOf(later)).toEqual({ build: 'two', behavior: 1 });

    answer?.();
    const report = await app.client.runs.result(underWay.workflowId);
    expect(report.equations[0]).toMatchObject({ holds: true, rows: { read: 2, indexed: 2 } });
    expect(await versionOf(underWay.workflowId)).toEqual({ build: 'one', behavior: 1 });

    const handle = app.client.temporal.workflow.getHandle(consumer);
    await handle.executeUpdate('pause');
    await handle.executeUpdate('resume');
    expect(await versionOf(consumer)).toEqual({ build: 'two', behavior: 2 });

    // What is left of the old build may go: the pipeline has its consumer on the new one.
    await app.worker.stop();
    app.serve(pipeline, { body: `${csv}c,z,3\n` });
    const next = await app.client.runs.launch({ pipeline, hour: toLogicalHour(new Date()), refetch: true });
    expect((await app.client.runs.result(next.workflowId)).equations[0]).toMatchObject({
      holds: true,
      rows: { indexed: 3 },
    });
    expect(await versionOf(next.workflowId)).toEqual({ build: 'two', behavior: 1 });
  });

  it('can be left again: workers that are no version take the consumer over', async () => {
    const { TEMPORAL_DEPLOYMENT_NAME: _, TEMPORAL_WORKER_BUILD_ID: __, ...unversioned } = app.environment;
    third = await startWorker(unversioned, join(app.folder, 'three.log'));
    await temporal(
      ...['worker', 'deployment', 'set-current-version'],
      '--deployment-name',
      deployment,
      '--unversioned',
      '--yes',
    );
    await second?.stop();
    const { pipeline } = app.define();
    const workflowId = await runNow(pipeline);
    expect((await versionOf(workflowId)).build).toBeUndefined();
    const handle = app.client.temporal.workflow.getHandle(ids.consumer(taken, 0));
    expect(await handle.executeUpdate('pause')).toMatchObject({ mode: 'paused' });
    expect(await handle.executeUpdate('resume')).toMatchObject({ mode: 'running' });
  });

  async function runNow(pipeline: Pipeline): Promise<string> {
    app.serve(pipeline, { body: csv });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    expect((await app.client.runs.result(workflowId)).outcome).toBe('completed');
    return workflowId;
  }
});
