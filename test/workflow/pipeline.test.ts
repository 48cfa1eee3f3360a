import { setTimeout as wait } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { PreparedStream } from '../../src/definition/refs.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunProgress, RunReport } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the pipeline workflow', () => {
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

  it('takes an hour through every stage, in order, and reports it', async () => {
    const pipeline = definition({ save: { localCopy: true } });
    const { stages, record } = goodStages(pipeline);
    lab.stages = stages;
    const report = await run(pipeline);
    expect(record.calls).toEqual([
      ...['prepare', 'importSource', 'clean', 'saveLocalCopy', 'publish', 'findLanded', 'commitHour', 'indexBatch'],
      ...['reconcile', 'writeReport'],
    ]);
    expect(record.reports).toEqual([report]);
    expect(record.definitions).toEqual([pipeline]);
    expect(report).toMatchObject({ outcome: 'completed', hour, generations: { main: 1 }, batches: { main: 'b1' } });
    expect(report.prepared).toBeUndefined();
    const { items } = await listed(pipeline);
    expect(items).toMatchObject([{ PipelineName: [pipeline.name], PipelineOutcome: ['completed'], PipelineRows: [3] }]);
  });

  it('has what is odd in its report, and goes through where nobody can judge it', async () => {
    const anomaly = { rule: 'rows', subject: 'read', severity: 'warning', sentence: '3 rows were read, usually 9.' };
    const watched = { judged: 5, learning: 1, runs: 30 };
    for (const [judgeRun, told] of [
      [
        async () => ({ anomalies: [anomaly], observations: [], clearings: [], watched }),
        { anomalies: [anomaly], watched },
      ],
      [
        async () => ({ anomalies: [], observations: [], clearings: [], failed: 'the store is away' }),
        { warnings: ['The monitors did not judge this run: the store is away'] },
      ],
      [
        async () => Promise.reject(ApplicationFailure.nonRetryable('out of order', 'Unexpected')),
        { warnings: ['The monitors did not judge this run: out of order'] },
      ],
    ] as const) {
      const pipeline = definition();
      const { stages, record } = goodStages(pipeline);
      lab.stages = { ...stages, judgeRun };
      const report = await run(pipeline);
      expect(report).toMatchObject({ outcome: 'completed', ...told });
      expect(record.reports).toEqual([report]);
    }
  });

  it('is over before it is judged, however long that takes', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let judgedAt = 0;
    const judgeRun = async () => {
      judgedAt = Context.current().info.scheduledTimestampMs;
      await wait(50);
      return { anomalies: [], observations: [], clearings: [] };
    };
    lab.stages = { ...stages, judgeRun };
    const { endedAt } = await run(pipeline);
    expect(Date.parse(endedAt)).toBeLessThanOrEqual(judgedAt);
  });

  it('goes on where it is told of a batch without saying which, as by a press of the Web UI’s button', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = { ...stages, clean: async () => gate.pass().then(() => stages.clean(undefined as never)) };
    const handle = await start(pipeline);
    await gate.reached;
    for (const args of [[], [null], ['b1'], [{ batch: 7 }]]) {
      await lab.temporal.client.workflow.getHandle(handle.workflowId).signal<unknown[]>('landed', ...args);
    }
    gate.open();
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
  });

  it('says in its memo where all of it lies, and beside each activity what it works on', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const handle = await start(pipeline);
    const { runId } = await handle.result();
    const hourKey = '2026-11-24T03';
    expect((await handle.describe()).memo).toEqual({
      ...{ raw: 's3://b/k', clean: 's3://b/k', rejects: 's3://b/k', cleanReport: 's3://b/k', batch: 's3://b/k' },
      report: `s3://b/runs/${pipeline.name}/${hourKey}/attempts/${runId}/run.json`,
      hour: `s3://b/landing/${pipeline.name}/_hours/${hourKey}/000001.json`,
      landing: `s3://b/landing/${pipeline.name}/`,
      index: pipeline.name,
    });
    const { events } = await handle.fetchHistory();
    const summaries = (events ?? [])
      .filter((event) => event.activityTaskScheduledEventAttributes)
      .map(({ userMetadata }) => JSON.parse(Buffer.from(userMetadata?.summary?.data ?? []).toString()) as string);
    expect(summaries).toEqual([
      ...['prepare: topic, bucket, index', `import: ${hour}`, `clean: ${hour}`, `publish: ${pipeline.name} b1`],
      ...[`land: ${pipeline.name} b1`, `commit: ${pipeline.name}`, `index: ${pipeline.name}-1`],
      ...[`reconcile: ${pipeline.name}`, 'report: monitors', 'report', 'incidents: went through'],
    ]);
  });

  it('reports what was made or changed for it, and what was left otherwise', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const [stream] = (await stages.prepare(undefined as never)) as [PreparedStream];
    const told = [{ ...stream, changes: ['created topic t'], warnings: ['topic t: kept'] }];
    lab.stages = { ...stages, prepare: async () => told };
    expect((await run(pipeline)).prepared).toEqual({ changes: ['created topic t'], warnings: ['topic t: kept'] });
  });

  async function listed(pipeline: Pipeline): Promise<{ items: unknown[] }> {
    const items: unknown[] = [];
    // Visibility follows a moment after the end.
    for (let tries = 0; tries < 600 && items.length === 0; tries += 1) {
      const query = `PipelineName = "${pipeline.name}" AND PipelineOutcome = "completed"`;
      for await (const { searchAttributes } of lab.temporal.client.workflow.list({ query }))
        items.push(searchAttributes);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { items };
  }

  it('ends early on a source that has not changed, and commits the hour as the same', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const before = '2026-11-24T02:00:00Z';
    let committed: unknown;
    lab.stages = {
      ...stages,
      importSource: async () => ({ ...((await stages.importSource(undefined as never)) as object), sameAs: before }),
      commitHour: async (input: { content: unknown }) => {
        committed = input.content;
        return stages.commitHour(undefined as never);
      },
    };
    expect(await run(pipeline)).toMatchObject({ outcome: 'unchanged', sameAs: before, generations: { main: 1 } });
    expect(committed).toEqual({ sameAs: before });
    expect(record.calls).toEqual(['prepare', 'importSource', 'commitHour', 'writeReport']);
  });

  it('publishes nothing when a gate blocks, and tells once', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const sentence = '4% of the rows were rejected, and 3% block.';
    lab.stages = {
      ...stages,
      clean: async () => ({
        ...((await stages.clean(undefined as never)) as object),
        quality: [{ gate: 'rejectedPercent', level: 'block', sentence }],
      }),
    };
    expect(await failureOf(pipeline)).toMatchObject({ type: 'QualityBlocked', message: sentence, nonRetryable: true });
    expect(record.calls.filter((name) => name === 'publish')).toEqual([]);
    expect(record.calls.filter((name) => name === 'tellOf')).toHaveLength(1);
    expect(record.reports).toMatchObject([{ outcome: 'failed', error: { code: 'QualityBlocked', stage: 'quality' } }]);
    expect(record.definitions).toEqual([pipeline]);
  });

  it.each([
    ['SourceUnavailable', 4],
    ['SourceNotFound', 1],
  ] as const)('tries a stage that fails with %s %i times in all', async (code, attempts) => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    let tries = 0;
    lab.stages = {
      ...stages,
      importSource: async () => {
        tries += 1;
        throw new SluiceError(code, 'The source is away.');
      },
    };
    expect(await failureOf(pipeline)).toMatchObject({ type: code, message: 'The source is away.' });
    expect(tries).toBe(attempts);
    expect(record.reports).toMatchObject([{ outcome: 'failed', error: { code, stage: 'import' } }]);
  });

  it('goes on where a later try succeeds', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let tries = 0;
    lab.stages = {
      ...stages,
      publish: async () => {
        tries += 1;
        if (tries < 4) throw new SluiceError('KafkaUnavailable', 'away');
        return stages.publish(undefined as never);
      },
    };
    expect(await run(pipeline)).toMatchObject({ outcome: 'completed' });
    expect(tries).toBe(4);
  });

  it('fails when the row equation does not hold', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    lab.stages = {
      ...stages,
      reconcile: async () => ({
        ...((await stages.reconcile(undefined as never)) as object),
        holds: false,
        broken: 'landed 2 of 3',
      }),
    };
    const failed = await failureOf(pipeline);
    expect(failed.type).toBe('RowsUnaccounted');
    expect(failed.message).toContain('landed 2 of 3');
  });

  it('reports a cancelled run and alerts nobody', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const began = Promise.withResolvers<void>();
    lab.stages = {
      ...stages,
      publish: async () => {
        began.resolve();
        const beat = setInterval(() => Context.current().heartbeat(), 50);
        await Context.current().cancelled.finally(() => clearInterval(beat));
      },
    };
    const handle = await start(pipeline);
    await began.promise;
    expect(await handle.query<RunProgress>('progress')).toMatchObject({ current: 'publish' });
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { stage: 'publish' } }]);
    expect(record.calls).not.toContain('tellOf');
  });

  it('is a cancelled run too where the worker of its stage stopped before the stage had heard of it', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    let stop = (): void => {};
    const deaf = new Promise<never>((_, reject) => {
      stop = () => reject(new SluiceError('WorkerShutdown', 'The worker was told to stop; another goes on.'));
    });
    deaf.catch(() => {});
    const began = Promise.withResolvers<void>();
    lab.stages = { ...stages, clean: async () => (began.resolve(), deaf) };
    const handle = await start(pipeline);
    await began.promise;
    // 3: it is to be cancelled.
    const pending = async () => (await handle.describe()).raw.pendingActivities?.[0]?.state;
    await handle.cancel();
    await expect.poll(pending, { timeout: 60_000 }).toBe(3);
    stop();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { stage: 'clean', code: 'Cancelled' } }]);
    expect(record.calls).not.toContain('tellOf');
  });

  it('starts a consumer where none runs, waits for its word, and fails when it halts', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const consumed = Promise.withResolvers<void>();
    let landed = false;
    const running = { mode: 'running', stream: pipeline.name, topic: pipeline.name, epoch: 'e1', life: 1 };
    lab.stages = {
      ...stages,
      findLanded: async () => (landed ? stages.findLanded(undefined as never) : undefined),
      consumerState: async () => running,
      consume: async () => {
        consumed.resolve();
        const beat = setInterval(() => Context.current().heartbeat(), 50);
        await Context.current().cancelled.finally(() => clearInterval(beat));
      },
    };
    const handle = await start(pipeline);
    await consumed.promise;
    landed = true;
    const told = performance.now();
    await handle.signal('landed', { batch: 'b1' });
    expect(await handle.result()).toMatchObject({ outcome: 'completed' });
    // Woken by the signal, not by the 15 s of the wait.
    expect(performance.now() - told).toBeLessThan(14_000);

    landed = false;
    lab.stages = {
      ...lab.stages,
      consumerState: async () => ({ ...running, mode: 'halted', problem: { code: 'LogTruncated', message: 'gone' } }),
    };
    expect(await failureOf(pipeline)).toMatchObject({ type: 'LogTruncated', message: 'gone' });
    expect(record.calls).toContain('tellOf');
    // It outlives the runs that needed it.
    const consumer = lab.temporal.client.workflow.getHandle(ids.consumer(pipeline.name, 0));
    expect((await consumer.describe()).status.name).toBe('RUNNING');
    await consumer.executeUpdate('drain');
  });

  it('fails instead of waiting for ever when its topic was made anew behind it', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const consumer = { mode: 'running', stream: pipeline.name, topic: pipeline.name, epoch: 'e2', life: 2 };
    lab.stages = {
      ...stages,
      findLanded: async () => undefined,
      consumerState: async () => consumer,
      consume: async () => {
        const beat = setInterval(() => Context.current().heartbeat(), 50);
        await Context.current().cancelled.finally(() => clearInterval(beat));
      },
    };
    expect(await failureOf(pipeline)).toMatchObject({
      type: 'TopicRecreated',
      message: expect.stringMatching(/made anew while this run waited/) as unknown,
    });
    await lab.temporal.client.workflow.getHandle(ids.consumer(pipeline.name, 0)).executeUpdate('drain');
  });
});
