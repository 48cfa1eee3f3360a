import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import { runActivities } from '../../src/activities/runs.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { launch as launchWorkflow } from '../../src/workflows/index.ts';
import type { LaunchInput, LaunchResult, RunReport } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the launch workflow', () => {
  let lab: WorkflowLab;
  let started = 0;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const launch = (input: unknown): Promise<LaunchResult> => {
    started += 1;
    return lab.temporal.client.workflow.execute<typeof launchWorkflow>('launch', {
      workflowId: `launch-${started}`,
      taskQueue: taskQueues.light,
      args: [input as LaunchInput],
      workflowExecutionTimeout: '30s',
    });
  };
  const refusal = async (input: unknown): Promise<unknown> =>
    launch(input).catch((error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error));

  it('starts the run of an hour, and a second launch joins it while it runs', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const gate = Promise.withResolvers<void>();
    lab.stages = {
      ...stages,
      clean: async () => {
        await gate.promise;
        return stages.clean(undefined as never);
      },
    };
    const workflowId = ids.pipeline(pipeline.name, hour);
    expect(await launch({ pipeline, hour })).toEqual({ outcome: 'started', hour, workflowId });
    expect(await launch({ pipeline, hour, force: true })).toEqual({ outcome: 'joined', hour, workflowId });
    gate.resolve();
    await lab.temporal.client.workflow.getHandle(workflowId).result();
    expect(record.calls.filter((name) => name === 'publish')).toHaveLength(1);
  });

  it('joins an hour that is done, and runs it again when forced', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const report = { pipeline: pipeline.name, hour, outcome: 'completed' } as RunReport;
    lab.stages = { ...stages, findDone: async () => report };
    expect(await launch({ pipeline, hour })).toMatchObject({ outcome: 'joined', report });
    expect(await launch({ pipeline, hour, refetch: true })).toMatchObject({ outcome: 'started' });
    await lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, hour)).result();
  });

  it('asks again where the store is away, and takes a refusal for an answer', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let tries = 0;
    const findDone = async (): Promise<undefined> => {
      tries += 1;
      if (tries === 1) throw new SluiceError('StoreUnavailable', 'away');
    };
    lab.stages = { ...stages, findDone };
    expect(await launch({ pipeline, hour })).toMatchObject({ outcome: 'started' });
    expect(tries).toBe(2);
    await lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, hour)).result();
    lab.stages = {
      ...stages,
      findDone: async () => {
        throw new SluiceError('HourRemoved', 'The hour was removed.');
      },
    };
    const error = (await refusal({ pipeline, hour })) as Error;
    expect(error.cause).toMatchObject({ type: 'HourRemoved', message: 'The hour was removed.' });
  });

  it('runs an hour again whose run has failed, without being forced', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    lab.stages = {
      ...stages,
      clean: async () => {
        throw new SluiceError('EngineUnfit', 'not with this one');
      },
    };
    const run = lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, hour));
    expect(await launch({ pipeline, hour })).toMatchObject({ outcome: 'started' });
    await expect(run.result()).rejects.toMatchObject({ cause: { type: 'EngineUnfit' } });
    lab.stages = stages;
    expect(await launch({ pipeline, hour })).toMatchObject({ outcome: 'started' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  describe('that waits for its run', () => {
    /** Stages whose cleaning waits for a test, and ends as that says. */
    function gated(pipeline: Pipeline) {
      const { stages, record } = goodStages(pipeline);
      const began = Promise.withResolvers<void>();
      const ends = Promise.withResolvers<void>();
      const clean = async (): Promise<unknown> => {
        began.resolve();
        const beat = setInterval(() => Context.current().heartbeat(), 50);
        await Promise.race([ends.promise, Context.current().cancelled]).finally(() => clearInterval(beat));
        return stages.clean(undefined as never);
      };
      lab.stages = { ...stages, clean };
      return { began: began.promise, ends, record };
    }
    const begin = (input: LaunchInput, workflowId: string) =>
      lab.temporal.client.workflow.start<typeof launchWorkflow>('launch', {
        ...{ workflowId, taskQueue: taskQueues.light },
        args: [input],
      });

    it('has its report, also where it joins', async () => {
      const pipeline = definition();
      const { began, ends } = gated(pipeline);
      const one = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-1`);
      await began;
      const two = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-2`);
      ends.resolve();
      const report = { outcome: 'completed', pipeline: pipeline.name };
      expect(await one.result()).toMatchObject({ outcome: 'started', report });
      expect(await two.result()).toMatchObject({ outcome: 'joined', report });
    });

    it('holds no place of the queue while it waits for a run that it joined', async () => {
      const pipeline = definition();
      const { began, ends } = gated(pipeline);
      const looks: boolean[] = [];
      lab.stages = {
        ...lab.stages,
        // Places that are held as long as the run lasts are places that the run does not get.
        awaitRun: async () => {
          throw new SluiceError('DefinitionInvalid', 'must not be asked for');
        },
        lookAtRun: async (run: Parameters<Activities['lookAtRun']>[0]) => {
          const found = await runActivities().lookAtRun(run);
          looks.push(found.report !== undefined);
          return found;
        },
      };
      await begin({ pipeline, hour, wait: true }, `${pipeline.name}-1`);
      await began;
      const joined = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-2`);
      await vi.waitFor(() => expect(looks).toEqual([false, false]), { timeout: 60_000 });
      ends.resolve();
      const report = { outcome: 'completed', pipeline: pipeline.name };
      expect(await joined.result()).toMatchObject({ outcome: 'joined', report });
      expect(looks.at(-1)).toBe(true);
    });

    it('fails as it does, also where it joins', async () => {
      const pipeline = definition();
      const { began, ends } = gated(pipeline);
      const one = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-1`);
      await began;
      const two = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-2`);
      ends.reject(new SluiceError('EngineUnfit', 'not with this one'));
      for (const launched of [one, two]) {
        await expect(launched.result()).rejects.toMatchObject({
          cause: { type: 'EngineUnfit', message: 'not with this one' },
        });
      }
    });

    it('cancels it when it is cancelled', async () => {
      const pipeline = definition();
      const { began, record } = gated(pipeline);
      const launched = await begin({ pipeline, hour, wait: true }, `${pipeline.name}-1`);
      await began;
      await launched.cancel();
      const cancelled = { cause: expect.any(CancelledFailure) as unknown };
      await expect(launched.result()).rejects.toMatchObject(cancelled);
      const run = lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, hour));
      await expect(run.result()).rejects.toMatchObject(cancelled);
      expect(record.reports).toMatchObject([{ outcome: 'cancelled' }]);
    });
  });

  it('fills in what a hand-written definition leaves out, and takes the current hour', async () => {
    const { name } = definition();
    const { stages, record } = goodStages(definition({ name }));
    lab.stages = stages;
    const before = new Date();
    const launched = await launch({
      pipeline: { name, source: { url: 'https://example.org/a.csv' }, columns: { id: { name: 'id' } } },
    });
    expect([before, new Date()].map((at) => `${at.toISOString().slice(0, 13)}:00:00Z`)).toContain(launched.hour);
    await lab.temporal.client.workflow.getHandle(launched.workflowId).result();
    expect(record.reports).toHaveLength(1);
  });

  it.each([
    ['no input', undefined, /must be an object/],
    ['an empty definition', { pipeline: {} }, /name: .*; source: /],
    [
      'an unknown option',
      { pipeline: { ...definition(), sorce: 1 } },
      /"sorce" is not known here. Did you mean "source"/,
    ],
    ['no hour', { pipeline: definition(), hour: 'yesterday' }, /"yesterday" is not an hour/],
    [
      'a stage that is none',
      { pipeline: definition(), hour, startFrom: 'Publish' },
      /startFrom is "Publish": .* publish/,
    ],
    ['an hour to come', { pipeline: definition(), hour: '2999-01-01T00' }, /has not begun/],
  ])('refuses %s in one sentence instead of hanging', async (_what, input, sentence) => {
    lab.stages = goodStages(definition()).stages;
    let error = await refusal(input);
    while (error instanceof Error && error.cause instanceof Error) error = error.cause;
    expect(error).toMatchObject({ type: 'DefinitionInvalid', message: expect.stringMatching(sentence) as unknown });
  });

  it('takes the logical hour from the schedule, so that a backfill runs the hours it was asked for', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const schedule = await lab.temporal.client.schedule.create({
      scheduleId: pipeline.name,
      spec: { intervals: [{ every: '1h' }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'launch',
        workflowId: ids.launchPrefix(pipeline.name),
        taskQueue: taskQueues.light,
        args: [{ pipeline }],
      },
      policies: { overlap: 'ALLOW_ALL' },
      state: { paused: true },
    });
    await schedule.backfill({
      start: new Date('2026-03-01T04:30:00Z'),
      end: new Date('2026-03-01T06:30:00Z'),
      overlap: 'ALLOW_ALL',
    });
    for (const at of ['2026-03-01T05:00:00Z', '2026-03-01T06:00:00Z']) {
      const handle = lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, at));
      for (let tries = 0; tries < 600; tries += 1) {
        if (await handle.describe().catch(() => undefined)) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(await handle.result()).toMatchObject({ hour: at, outcome: 'completed' });
    }
    await schedule.delete();
  });
});
