import { Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Told } from '../../src/activities/telling.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Observation } from '../../src/definition/incidents.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunProgress, RunReport } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('deadlines', () => {
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
  const run = async (pipeline: Pipeline): Promise<RunReport> => (await start(pipeline)).result();
  const failureOf = async (pipeline: Pipeline): Promise<ApplicationFailure> => {
    const error: unknown = await run(pipeline).catch((thrown: unknown) => thrown);
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  };

  /** Stages that go well, and what was told. */
  function stages(pipeline: Pipeline) {
    const { stages: good, record } = goodStages(pipeline);
    const alerts: Observation[] = [];
    const cleared: string[] = [];
    const first = Promise.withResolvers<void>();
    const tellOf = async ({ observations, clearings }: Told): Promise<void> => {
      alerts.push(...observations);
      cleared.push(...clearings.map(({ rule }) => rule));
      if (observations.length > 0) first.resolve();
    };
    const told = (): string[] => alerts.map(({ rule, subject = '' }) => `${rule} ${subject}`);
    return { good: { ...good, tellOf }, record, alerts, cleared, told, first: first.promise };
  }

  const untilCancelled = async (): Promise<never> => {
    const beat = setInterval(() => Context.current().heartbeat(), 50);
    return Context.current().cancelled.finally(() => clearInterval(beat));
  };

  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await what()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came to that');
  }

  /** Timers by what they are called: how many began, and how many of these were taken back. */
  async function timersOf(handle: WorkflowHandle): Promise<{ started: number; cancelled: number }> {
    const { events = [] } = await handle.fetchHistory();
    const count = (kind: 'timerStartedEventAttributes' | 'timerCanceledEventAttributes'): number =>
      (events ?? []).filter((event) => event[kind]).length;
    return { started: count('timerStartedEventAttributes'), cancelled: count('timerCanceledEventAttributes') };
  }

  it('cost a run nothing that has none', async () => {
    const pipeline = definition();
    lab.stages = stages(pipeline).good;
    const handle = await start(pipeline);
    expect(await handle.result()).not.toHaveProperty('warnings');
    expect(await timersOf(handle)).toEqual({ started: 0, cancelled: 0 });
  });

  it('that are met leave no timer, and tell nobody', async () => {
    const pipeline = definition({ deadlines: { run: '1h', stages: { import: '10m', land: '10m' } } });
    const { good, told, cleared } = stages(pipeline);
    lab.stages = good;
    const handle = await start(pipeline);
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    expect(await timersOf(handle)).toEqual({ started: 3, cancelled: 3 });
    expect(told()).toEqual([]);
    expect(cleared).toEqual(['run-failed', 'deadline-near']);
  });

  it('are not over for a run that found nothing new; and incidents are told though the pipeline tries a stage once', async () => {
    const pipeline = definition({ retries: { attempts: 1 } });
    const { good, cleared } = stages(pipeline);
    let tries = 0;
    lab.stages = {
      ...good,
      importSource: async () => ({
        ...((await good.importSource(undefined as never)) as object),
        sameAs: '2026-11-24T02:00:00Z',
      }),
      tellOf: async (given: Told) => {
        if ((tries += 1) === 1) throw new Error('Temporal is away');
        await good.tellOf(given);
      },
    };
    expect(await run(pipeline)).toMatchObject({ outcome: 'unchanged' });
    expect([tries, cleared]).toEqual([2, ['run-failed']]);
  });

  it('tell once before they are over, however often the stage is tried, and let it go on', async () => {
    const pipeline = definition({ deadlines: { stages: { import: '20s' }, warnAt: 0.1 } });
    const { good, alerts, cleared, first } = stages(pipeline);
    let tries = 0;
    lab.stages = {
      ...good,
      importSource: async () => {
        await first;
        tries += 1;
        if (tries < 4) throw new SluiceError('SourceUnavailable', 'away');
        return good.importSource(undefined as never);
      },
    };
    const handle = await start(pipeline);
    const report = await handle.result();
    const sentence =
      `Import of ${pipeline.name} ${hour} has taken 10% of the 20s that deadlines.stages.import allows, ` +
      `and is stopped at its end.`;
    expect(report).toMatchObject({ outcome: 'completed', warnings: [sentence] });
    expect(alerts).toMatchObject([
      { pipeline: pipeline.name, hour, rule: 'deadline-near', subject: 'import', severity: 'warning', sentence },
    ]);
    // It lasts until a run comes near no deadline, so that a pipeline that is late every hour is told of once.
    expect(cleared).toEqual(['run-failed']);
    const { currentDetails } = (await handle.query('__temporal_workflow_metadata')) as { currentDetails?: string };
    expect(currentDetails).toContain(sentence);
  });

  it('stop a stage that takes longer, and fail the run in one sentence', async () => {
    const pipeline = definition({ deadlines: { stages: { import: '4s' }, warnAt: 0.5 } });
    const { good, told, record } = stages(pipeline);
    let stopped = 0;
    lab.stages = {
      ...good,
      importSource: async () => {
        await untilCancelled().finally(() => (stopped += 1));
      },
    };
    const message =
      `Import of ${pipeline.name} ${hour} took longer than 4s and was stopped: look in the report what took so ` +
      `long, then run the hour again, or raise deadlines.stages.import.`;
    expect(await failureOf(pipeline)).toMatchObject({ type: 'DeadlineExceeded', message, nonRetryable: true });
    await until(async () => stopped === 1);
    expect(record.reports).toMatchObject([
      { outcome: 'failed', error: { code: 'DeadlineExceeded', stage: 'import', message } },
    ]);
    expect(told()).toEqual(['deadline-near import', 'run-failed DeadlineExceeded']);
    expect(record.calls).not.toContain('clean');
  });

  it('hold while a stage waits for its next try', async () => {
    const retries = { stages: { publish: { initialInterval: '1h', maximumInterval: '1h' } } };
    const pipeline = definition({ retries, deadlines: { stages: { publish: '600ms' } } });
    lab.stages = {
      ...stages(pipeline).good,
      publish: async () => {
        throw new SluiceError('KafkaUnavailable', 'away');
      },
    };
    expect(await failureOf(pipeline)).toMatchObject({ type: 'DeadlineExceeded' });
  });

  it('of the run stop it in whatever stage it is', async () => {
    const pipeline = definition({ deadlines: { run: '4s', warnAt: 0.5 } });
    const { good, told, record } = stages(pipeline);
    lab.stages = { ...good, prepare: untilCancelled };
    expect(await failureOf(pipeline)).toMatchObject({
      type: 'DeadlineExceeded',
      message: expect.stringMatching(/^The run of .* took longer than 4s .* raise deadlines\.run\.$/) as unknown,
    });
    expect(record.reports).toMatchObject([{ error: { code: 'DeadlineExceeded', stage: 'prepare' } }]);
    expect(told()).toEqual(['deadline-near run', 'run-failed DeadlineExceeded']);
  });

  it('are no reason why a run that a person cancels would fail', async () => {
    const pipeline = definition({ deadlines: { run: '1h', stages: { publish: '30m' } } });
    const { good, told, record } = stages(pipeline);
    lab.stages = { ...good, publish: untilCancelled };
    const handle = await start(pipeline);
    await until(async () => (await handle.query<RunProgress>('progress')).current === 'publish');
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.reports).toMatchObject([{ outcome: 'cancelled' }]);
    expect(told()).toEqual([]);
  });

  it('do not come nearer while a consumer is paused', async () => {
    const pipeline = definition({ deadlines: { run: '14s', stages: { land: '12s' } } });
    const { good, told } = stages(pipeline);
    let looks = 0;
    // It is asked again after 15 s.
    lab.stages = {
      ...good,
      findLanded: async () => ((looks += 1) === 1 ? undefined : good.findLanded(undefined as never)),
      consumerState: async () => ({ mode: 'paused', stream: pipeline.name, topic: 't', epoch: 'e1', life: 1 }),
      consume: untilCancelled,
    };
    const handle = await start(pipeline);
    const report = await handle.result();
    expect(report).toMatchObject({ outcome: 'completed' });
    const land = report.stages.find(({ stage }) => stage === 'land');
    expect(land?.ms).toBeGreaterThan(12_000);
    expect(told()).toEqual([]);
    await lab.temporal.client.workflow.getHandle(ids.consumer(pipeline.name, 0)).executeUpdate('drain');
  });

  it('do not come nearer while the hour waits for its turn', async () => {
    const pipeline = definition({ key: ['id'], duplicates: { acrossRuns: true }, deadlines: { run: '1h' } });
    const { good } = stages(pipeline);
    let ahead = { count: 1, first: ['2026-11-24T02:00:00Z'] };
    lab.stages = { ...good, findRunsAhead: async () => ahead };
    const handle = await start(pipeline);
    await until(async () => (await handle.query<RunProgress>('progress')).waiting !== undefined);
    // One timer is that of the deadline, taken back; the other is until it asks again.
    await until(async () => (await timersOf(handle)).started === 2);
    expect(await timersOf(handle)).toEqual({ started: 2, cancelled: 1 });
    ahead = { count: 0, first: [] };
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    expect(await timersOf(handle)).toMatchObject({ cancelled: 2 });
  });

  it('do not come nearer while a person has paused the run', async () => {
    const pipeline = definition({ deadlines: { run: '1h' } });
    const { good } = stages(pipeline);
    const gate = Promise.withResolvers<void>();
    lab.stages = {
      ...good,
      importSource: async () => {
        await gate.promise;
        return good.importSource(undefined as never);
      },
    };
    const handle = await start(pipeline);
    await until(async () => (await handle.query<RunProgress>('progress')).current === 'import');
    await handle.executeUpdate('pause');
    // The stage that is on its way goes on, and so does the clock.
    expect(await timersOf(handle)).toEqual({ started: 1, cancelled: 0 });
    gate.resolve();
    await until(async () => (await handle.query<RunProgress>('progress')).mode === 'paused');
    await until(async () => (await timersOf(handle)).cancelled === 1);
    expect(await timersOf(handle)).toEqual({ started: 1, cancelled: 1 });
    await handle.executeUpdate('resume');
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    expect(await timersOf(handle)).toEqual({ started: 2, cancelled: 2 });
  });
});
