import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as wait } from 'node:timers/promises';
import { attended } from '../../src/activities/attended.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { StageTimes } from '../../src/definition/timing.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab, type FakeActivities } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('where the time of a stage went', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const start = (pipeline: Pipeline) =>
    lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });

  /** What a stage took, and that its parts are no more than that. */
  function timesOf({ stages }: Pick<RunReport, 'stages'>, name: string): StageTimes {
    const found = stages.find(({ stage }) => stage === name);
    if (!found?.times) throw new Error(`nobody knows where the time of ${name} went`);
    const { queueMs, runMs, retryMs, waitMs } = found.times;
    expect(Math.min(queueMs, runMs, retryMs, waitMs)).toBeGreaterThanOrEqual(0);
    expect(queueMs + runMs + retryMs + waitMs).toBeLessThanOrEqual(found.ms);
    return found.times;
  }

  it('is told by attempts, and nothing of it reaches what follows', async () => {
    const pipeline = definition();
    const given: string[] = [];
    const stages = Object.fromEntries(
      Object.entries(goodStages(pipeline).stages as FakeActivities).map(([name, stage]) => [
        name,
        (...input: never[]) => {
          given.push(JSON.stringify(input));
          return stage(...input);
        },
      ]),
    );
    lab.stages = stages;
    const report = await (await start(pipeline)).result();
    for (const stage of ['prepare', 'import', 'clean', 'publish', 'land', 'commit', 'index', 'reconcile'])
      expect(timesOf(report, stage).failed).toEqual({});
    expect(given.length).toBeGreaterThan(9);
    expect(given.join()).not.toContain('attemptTiming');
  });

  it('is retry time where attempts failed, by their codes', async () => {
    const pipeline = definition({ retries: { attempts: 4, initialInterval: '200ms', maximumInterval: '200ms' } });
    const { stages } = goodStages(pipeline);
    const codes = ['PublishInterrupted', 'PublishInterrupted', 'KafkaUnavailable'] as const;
    let tries = 0;
    const found: unknown[] = [];
    lab.stages = {
      ...stages,
      publish: () =>
        attended(async ({ previous, progress }) => {
          const code = codes[tries++];
          if (tries === 1) progress({ rows: 1, resume: { at: 7 } });
          else found.push(previous);
          if (code) throw new SluiceError(code, 'not now.');
          return stages.publish(undefined as never);
        }),
    };
    const report = await (await start(pipeline)).result();
    // What an attempt needs of the one before outlives attempts that say nothing.
    const resumed = expect.objectContaining({ rows: 1, resume: { at: 7 } });
    expect(found).toEqual([resumed, resumed, resumed]);
    const times = timesOf(report, 'publish');
    expect(times.failed).toEqual({ PublishInterrupted: 2, KafkaUnavailable: 1 });
    expect(times.retryMs, 'three times between attempts').toBeGreaterThanOrEqual(600);
    expect(times.sideBySide).toBeUndefined();
  });

  it('is retry time alone where the last attempt failed, too', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    lab.stages = {
      ...stages,
      clean: () => attended(() => Promise.reject(new SluiceError('EngineFailed', 'no.'))),
    };
    await expect((await start(pipeline)).result()).rejects.toMatchObject({ cause: { type: 'EngineFailed' } });
    const times = timesOf(record.reports[0] as RunReport, 'clean');
    expect(times).toMatchObject({ failed: { EngineFailed: 4 }, runMs: 0, on: {} });
    expect(times.retryMs).toBeGreaterThan(0);
  });

  it('is queue time while nobody works on the stage’s queue', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const handle = await lab.without(taskQueues.compute, async () => {
      const started = await start(pipeline);
      await untilAt(started, 'import');
      await wait(1_000);
      return started;
    });
    const report = await handle.result();
    expect(timesOf(report, 'import').queueMs).toBeGreaterThanOrEqual(900);
    expect(timesOf(report, 'import').retryMs).toBe(0);
  });

  it('is a wait on purpose while a consumer is paused; what that waited for afterwards it tells itself', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let looked = 0;
    lab.stages = {
      ...stages,
      findLanded: async () => (looked++ === 0 ? undefined : stages.findLanded(undefined as never)),
      consumerState: async () => ({ mode: 'paused', epoch: 'e1', life: 1 }),
    };
    const handle = await start(pipeline);
    for (let waiting: string | undefined; waiting === undefined;) {
      await wait(100);
      ({ waiting } = await handle.query<{ waiting?: string }>('progress'));
    }
    await wait(300);
    await handle.signal<unknown[]>('landed', { batch: 'b1', storeMs: 12_345 });
    const times = timesOf(await handle.result(), 'land');
    expect(times).toMatchObject({
      waitedFor: `the consumer of ${pipeline.name} is paused`,
      consumerStoreMs: 12_345,
    });
    expect(times.waitMs).toBeGreaterThanOrEqual(300);
  });

  it('is held by a person in front of a stage, which it does not take', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let handle: Awaited<ReturnType<typeof start>>;
    lab.stages = {
      ...stages,
      importSource: async () => {
        await handle.executeUpdate('pause');
        return stages.importSource(undefined as never);
      },
    };
    handle = await start(pipeline);
    for (let mode = ''; mode !== 'paused';) {
      await wait(100);
      ({ mode = '' } = await handle.query<{ mode?: string }>('progress'));
    }
    await wait(300);
    await handle.executeUpdate('resume');
    expect(timesOf(await handle.result(), 'clean').heldMs).toBeGreaterThanOrEqual(300);
  });

  it('has a profile of the stage that one was asked of, and the stage does not see that', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const given: string[] = [];
    const stored: string[] = [];
    const put = async (key: string) => {
      stored.push(key);
      return { uri: `s3://b/${key}`, sha256: '', bytes: 1 };
    };
    lab.store = { put } as unknown as WorkflowLab['store'];
    lab.stages = {
      ...stages,
      clean: async (...input: never[]) => {
        given.push(JSON.stringify(input));
        return stages.clean(undefined as never);
      },
    };
    const handle = await lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false, profile: 'clean' }],
    });
    const report = await handle.result();
    const key = `runs/${pipeline.name}/2026-11-24T03/attempts/${report.runId}/profiles/clean.cpuprofile`;
    expect(stored).toEqual([key]);
    expect(timesOf(report, 'clean').profile).toBe(`s3://b/${key}`);
    expect(timesOf(report, 'publish').profile).toBeUndefined();
    expect(given.join()).not.toContain('profile');
  });

  async function untilAt(handle: Awaited<ReturnType<typeof start>>, stage: string): Promise<void> {
    for (let current = ''; current !== stage;) {
      await wait(50);
      ({ current = '' } = await handle.query<{ current?: string }>('progress'));
    }
  }
});
