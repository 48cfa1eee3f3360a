import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { backfill as backfillWorkflow } from '../../src/workflows/index.ts';
import type { BackfillInput, BackfillProgress, BackfillReport } from '../../src/workflows/backfill-messages.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const from = '2026-11-20T00:00:00Z';
const hourAt = (n: number): string => toLogicalHour(Date.parse(from) + n * 3_600_000);

/** Hours of a backfill whose stages are under a test's hand. */
interface Hands {
  /** Hours in the order in which their imports began. */
  readonly begun: string[];
  /** How many imports were on their way at once, at most. */
  most: number;
  /** What an import does beside. */
  during: (hour: string) => Promise<void>;
}

describe.skipIf(noTemporal)('the backfill workflow', () => {
  let lab: WorkflowLab;
  let started = 0;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  /** Stages for so many hours, which the plan has in this order. */
  function prepare(pipeline: Pipeline, hours: readonly string[]): Hands {
    const { stages } = goodStages(pipeline);
    const hands: Hands = { begun: [], most: 0, during: async () => {} };
    let now = 0;
    const found = { missing: hours.length, failed: 0, stale: 0, running: 0, present: 0, removed: 0 };
    lab.stages = {
      ...stages,
      planBackfill: async ({ order }: { order: string }) => {
        const keys = hours.map((hour) => hour.slice(0, 13));
        const plan = { found, stretches: [], failed: [], warnings: [] };
        return { ...plan, hours: order === 'newest' ? keys.toReversed() : keys };
      },
      importSource: async ({ hour }: { hour: string }) => {
        hands.begun.push(hour);
        now += 1;
        hands.most = Math.max(hands.most, now);
        try {
          await hands.during(hour);
          return await stages.importSource(undefined as never);
        } finally {
          now -= 1;
        }
      },
    };
    return hands;
  }

  const start = (input: Omit<BackfillInput, 'from' | 'to'> & { from?: string; to?: string }) =>
    lab.temporal.client.workflow.start<typeof backfillWorkflow>('backfill', {
      workflowId: `backfill-${(started += 1)}`,
      taskQueue: taskQueues.light,
      args: [{ from, to: hourAt(23), ...input }],
      workflowExecutionTimeout: '4m',
    });
  const run = async (input: Parameters<typeof start>[0]): Promise<BackfillReport> => (await start(input)).result();
  const progress = (handle: WorkflowHandle): Promise<BackfillProgress> => handle.query('progress');
  async function until(what: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await what()) return;
      await wait(50);
    }
    throw new Error('it never came to that');
  }
  const range = (hours: number): string[] => Array.from({ length: hours }, (_, n) => hourAt(n));

  it('runs every hour that is planned, the oldest first, and never more at once than asked', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(7));
    const gate = Promise.withResolvers<void>();
    hands.during = () => gate.promise;
    const handle = await start({ pipeline, parallel: 3 });
    await until(() => hands.begun.length === 3);
    await wait(500);
    expect(await progress(handle)).toMatchObject({ running: range(3), left: 7 });
    gate.resolve();
    const report = await handle.result();
    expect(report).toMatchObject({ outcome: 'completed', hours: 7, done: 7, joined: 0, failed: 0, left: 0, rows: 21 });
    expect(report.perHour).toBeGreaterThan(0);
    expect(hands.most).toBe(3);
    expect(hands.begun.toSorted()).toEqual(range(7));
    expect(hands.begun.slice(0, 3).toSorted()).toEqual(range(3));
  });

  it('runs the newest first where that is asked, one at a time', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(3));
    expect(await run({ pipeline, parallel: 1, order: 'newest' })).toMatchObject({ done: 3 });
    expect(hands.begun).toEqual(range(3).toReversed());
    expect(hands.most).toBe(1);
  });

  it('asks for the hours as it was told, and starts nothing in a dry run', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(2));
    const asked: unknown[] = [];
    const { planBackfill } = lab.stages;
    lab.stages = { ...lab.stages, planBackfill: async (input: never) => (asked.push(input), planBackfill?.(input)) };
    const report = await run({ pipeline, only: 'failed', useCurrent: true, dryRun: true });
    expect(report).toMatchObject({ outcome: 'planned', plan: { hours: ['2026-11-20T00', '2026-11-20T01'] } });
    await run({ pipeline, startFrom: 'clean', dryRun: true });
    await run({ pipeline, refetch: true, dryRun: true });
    expect(asked).toMatchObject([
      { only: 'failed', order: 'oldest', useCurrent: true, everyHour: false, from, to: hourAt(23) },
      { only: 'all', startFrom: 'clean', useCurrent: false },
      { only: 'all', startFrom: 'import' },
    ]);
    expect(hands.begun).toEqual([]);
  });

  it('hands on to each run how it is to be done, and forces hours that are done where all are asked for', async () => {
    const pipeline = definition();
    prepare(pipeline, range(1));
    const inputs: unknown[] = [];
    const { importSource } = lab.stages;
    lab.stages = {
      ...lab.stages,
      findDone: async () => ({ pipeline: pipeline.name, hour: from, outcome: 'completed' }),
      importSource: async (input: never) => (inputs.push(input), importSource?.(input)),
    };
    expect(await run({ pipeline })).toMatchObject({ joined: 1, done: 0, rows: 0 });
    expect(await run({ pipeline, only: 'all', useCurrent: true })).toMatchObject({ joined: 0, done: 1, rows: 3 });
    expect(inputs).toMatchObject([{ force: true, refetch: false, useCurrent: true }]);
  });

  it('goes on behind hours that fail, and says which and why', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(4));
    hands.during = async (hour) => {
      if (hour === hourAt(1)) throw new SluiceError('SourceNotFound', 'not there');
    };
    const report = await run({ pipeline, parallel: 2 });
    expect(report).toMatchObject({ outcome: 'failed', done: 3, failed: 1, left: 0 });
    expect(report.failures).toEqual([{ hour: hourAt(1), code: 'SourceNotFound', message: 'not there' }]);
  });

  it('starts no more once so many have failed', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(6));
    hands.during = async () => {
      throw new SluiceError('SourceNotFound', 'not there');
    };
    const report = await run({ pipeline, parallel: 1, stopAfter: 2 });
    expect(report).toMatchObject({ outcome: 'stopped', failed: 2, left: 4 });
    expect(hands.begun).toEqual(range(2));
  });

  it('joins an hour that somebody else runs, and counts it once that is through', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(1));
    const gate = Promise.withResolvers<void>();
    hands.during = () => gate.promise;
    const workflowId = ids.pipeline(pipeline.name, from);
    const { client } = lab.temporal;
    await client.workflow.execute('launch', {
      workflowId: `${workflowId}-other`,
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour: from }],
    });
    const handle = await start({ pipeline });
    await until(async () => (await progress(handle)).running.length === 1);
    gate.resolve();
    expect(await handle.result()).toMatchObject({ outcome: 'completed', joined: 1, done: 0 });
    expect(hands.begun).toEqual([from]);
  });

  it('joins an hour that another backfill runs, also one that began in the same moment', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(1));
    const gate = Promise.withResolvers<void>();
    hands.during = () => gate.promise;
    const one = await start({ pipeline });
    await until(() => hands.begun.length === 1);
    const two = await start({ pipeline });
    await until(async () => (await progress(two)).running.length === 1);
    // Its launch has had the time to be refused.
    await wait(1_000);
    gate.resolve();
    expect(await one.result()).toMatchObject({ outcome: 'completed', done: 1 });
    expect(await two.result()).toMatchObject({ outcome: 'completed', joined: 1, failed: 0, failures: [] });
    expect(hands.begun).toEqual([from]);
  });

  it('goes on from an earlier point of its history, where it is reset', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(3));
    const gate = Promise.withResolvers<void>();
    hands.during = (hour) => (hour === hourAt(2) ? gate.promise : Promise.resolve());
    const handle = await start({ pipeline, parallel: 1 });
    await until(() => hands.begun.length === 3);
    await until(async () => (await progress(handle)).done === 2);
    const { events } = await handle.fetchHistory();
    const last = events?.findLast(({ workflowTaskCompletedEventAttributes: done }) => done)?.eventId;
    const { client, namespace } = lab.temporal;
    await client.workflowService.resetWorkflowExecution({
      namespace: namespace ?? 'default',
      workflowExecution: { workflowId: handle.workflowId },
      workflowTaskFinishEventId: last ?? null,
      reason: 'test',
      requestId: handle.workflowId,
    });
    gate.resolve();
    const newest = client.workflow.getHandle<typeof backfillWorkflow>(handle.workflowId);
    expect(await newest.result()).toMatchObject({ outcome: 'completed', failed: 0, left: 0 });
  });

  it('starts no more while it is paused, and goes on when it is told to', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(3));
    const gates = range(3).map(() => Promise.withResolvers<void>());
    hands.during = (hour) => gates[range(3).indexOf(hour)]?.promise ?? Promise.resolve();
    const handle = await start({ pipeline, parallel: 1 });
    await until(() => hands.begun.length === 1);
    expect(await handle.executeUpdate('pause')).toMatchObject({ mode: 'paused', running: [from], left: 3 });
    gates[0]?.resolve();
    await until(async () => (await progress(handle)).done === 1);
    await wait(300);
    expect(hands.begun).toHaveLength(1);
    expect(await handle.executeUpdate('resume')).toMatchObject({ mode: 'running' });
    await handle.signal('pause');
    for (const gate of gates) gate.resolve();
    await until(async () => (await progress(handle)).mode === 'paused');
    await handle.signal('resume');
    expect(await handle.result()).toMatchObject({ outcome: 'completed', done: 3 });
  });

  it('lets runs end when it is cancelled, unless these are to be cancelled too', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(4));
    const gate = Promise.withResolvers<void>();
    hands.during = () => gate.promise;
    const handle = await start({ pipeline, parallel: 2 });
    await until(() => hands.begun.length === 2);
    expect(await handle.executeUpdate('cancel', { args: [{}] })).toMatchObject({ mode: 'cancelling', left: 4 });
    const refused = await handle.executeUpdate('resume').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((refused as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'NotRunning' });
    await handle.signal('pause');
    gate.resolve();
    expect(await handle.result()).toMatchObject({ outcome: 'cancelled', done: 2, left: 2 });

    const other = definition();
    const stuck = prepare(other, range(3));
    stuck.during = async () => {
      const beat = setInterval(() => Context.current().heartbeat(), 50);
      await Context.current().cancelled.finally(() => clearInterval(beat));
    };
    const second = await start({ pipeline: other, parallel: 2 });
    await until(() => stuck.begun.length === 2);
    const wrong = await second.executeUpdate('cancel', { args: [{ runs: 'all' }] }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(WorkflowUpdateFailedError);
    await second.signal('cancel', { runs: 'cancel' });
    expect(await second.result()).toMatchObject({ outcome: 'cancelled', cancelled: 2, left: 1 });
    const { status } = await lab.temporal.client.workflow.getHandle(ids.pipeline(other.name, from)).describe();
    expect(status.name).toBe('CANCELLED');
  });

  it('is cancelled by Temporal’s own word as well, and lets runs end then too', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(3));
    const gate = Promise.withResolvers<void>();
    hands.during = () => gate.promise;
    const handle = await start({ pipeline, parallel: 1 });
    await until(() => hands.begun.length === 1);
    await handle.cancel();
    await until(async () => (await progress(handle)).mode === 'cancelling');
    gate.resolve();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    const first = lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, from));
    expect((await first.describe()).status.name).toBe('COMPLETED');
    expect(hands.begun).toEqual([from]);
  });

  it('continues as new with all that it knows, paused or not, and runs no hour twice', async () => {
    const pipeline = definition();
    const hands = prepare(pipeline, range(12));
    hands.during = async (hour) => {
      if (hour === hourAt(2)) throw new SluiceError('SourceNotFound', 'not there');
    };
    const handle = await start({ pipeline, parallel: 3, maxHistory: 40 });
    const first = (await handle.describe()).runId;
    const newest = lab.temporal.client.workflow.getHandle<typeof backfillWorkflow>(handle.workflowId);
    await until(async () => (await newest.describe()).runId !== first);
    await newest.executeUpdate('pause');
    await newest.executeUpdate('resume');
    const report = await newest.result();
    expect(report).toMatchObject({ outcome: 'failed', hours: 12, done: 11, failed: 1, left: 0, rows: 33 });
    expect(report.failures).toMatchObject([{ hour: hourAt(2) }]);
    expect(hands.begun.toSorted()).toEqual(range(12));
  });

  it('runs hours that take keys of earlier ones out one at a time, whatever is asked', async () => {
    const columns = { id: { name: 'id', required: true } };
    const pipeline = definition({ columns, key: ['id'], duplicates: { acrossRuns: true } });
    const hands = prepare(pipeline, range(3));
    expect(await run({ pipeline, parallel: 3 })).toMatchObject({ done: 3, parallel: 1 });
    expect(hands.most).toBe(1);
    expect(hands.begun).toEqual(range(3));
  });

  it.each([
    [{ from: '2026-11-20T05' as string, to: '2026-11-20T04' }, /ends .* before it begins/],
    [{ from: 'yesterday' }, /"yesterday" is not an hour/],
    [{ to: '2999-01-01T00' }, /has not begun yet/],
    [{ from: '2020-01-01T00' }, /hours, and a backfill may have 20000/],
    [{ from: 7 }, /from is missing/],
    [{ parallel: 0 }, /parallel is 0: it must be a whole number from 1 to 50/],
    [{ parallel: 51 }, /from 1 to 50/],
    [{ only: 'some' }, /only is "some": it must be one of notDone, missing/],
    [{ order: 'random' }, /one of oldest, newest/],
    [{ stopAfter: 1.5 }, /stopAfter is 1.5/],
    [{ startFrom: 'land' }, /startFrom is "land"/],
    [{ pipeline: { name: 'x' } }, /source/],
  ])('refuses %j in one sentence', async (wrong, sentence) => {
    lab.stages = goodStages(definition()).stages;
    const input = { pipeline: definition(), ...wrong } as Parameters<typeof start>[0];
    const error = await run(input).catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toMatchObject({
      type: 'DefinitionInvalid',
      message: expect.stringMatching(sentence) as unknown,
    });
  });

  it('refuses the newest first where hours take keys of earlier ones out', async () => {
    const columns = { id: { name: 'id', required: true } };
    const pipeline = definition({ columns, key: ['id'], duplicates: { acrossRuns: true } });
    lab.stages = goodStages(pipeline).stages;
    const error = await run({ pipeline, order: 'newest' }).catch((failed: unknown) => failed);
    expect((error as WorkflowFailedError).cause?.message).toMatch(/run from the oldest on/);
  });
});
