import type { WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { slotActivities } from '../../src/activities/slots.ts';
import { turnActivities } from '../../src/activities/turns.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunProgress } from '../../src/workflows/messages.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const hours = [1, 2, 3].map((n) => `2026-11-24T0${n}:00:00Z`) as [string, string, string];

/** Fake stages, but the real question to the real list, and the real locks. */
describe.skipIf(noTemporal)('runs of all pipelines, of which so many may be in flight', () => {
  let lab: WorkflowLab;
  let settings: { maxRuns?: number } = {};
  /** What is cleaned, in order, and what holds each up. */
  let cleaned: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  // A test that failed must not leave the next one without slots.
  afterEach(async () => {
    cleaned = [];
    for (const gate of gates.values()) gate.resolve();
    for (const run of started.splice(0)) await run.terminate().catch(() => {});
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const nameOf = (pipeline: Pipeline, hour: string): string => ids.pipeline(pipeline.name, hour);
  function gateOf(name: string): PromiseWithResolvers<void> {
    const gate = gates.get(name) ?? Promise.withResolvers<void>();
    gates.set(name, gate);
    return gate;
  }
  const open = (pipeline: Pipeline, hour: string): void => gateOf(nameOf(pipeline, hour)).resolve();

  /** Limits the runs in flight to so many; their cleaning waits for the gate of each. */
  function limit(maxRuns: number | undefined) {
    settings = maxRuns === undefined ? {} : { maxRuns };
    const { stages, record } = goodStages(definition());
    const deps = { settings } as unknown as StageDeps;
    lab.stages = {
      ...stages,
      ...turnActivities(),
      ...slotActivities(deps),
      importSource: async () => ({
        ...((await stages.importSource(undefined as never)) as object),
        ...(maxRuns === undefined ? {} : { takesSlot: true }),
      }),
      clean: async ({ pipeline, hour }: { pipeline: Pipeline; hour: string }) => {
        const name = nameOf(pipeline, hour);
        cleaned.push(name);
        await gateOf(name).promise;
        return stages.clean(undefined as never);
      },
    };
    return record;
  }

  const started: WorkflowHandle[] = [];
  const start = async (pipeline: Pipeline, hour: string) => {
    const run = await lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: nameOf(pipeline, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
    started.push(run);
    return run;
  };
  type Run = Awaited<ReturnType<typeof start>>;

  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await what()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came to that');
  }

  const cleans = (count: number): Promise<void> => until(async () => cleaned.length === count);
  const waitsFor = (run: Run, sentence: string): Promise<void> =>
    until(async () => {
      const { current, waiting } = await run.query<RunProgress>('progress');
      return current === 'slot' && waiting === sentence;
    });
  const heldSlots = async (): Promise<number> =>
    (await lab.temporal.client.workflow.count('WorkflowType = "slot" AND ExecutionStatus = "Running"')).count;

  it('wait behind their import, the oldest hour first, and go on one by one', async () => {
    const record = limit(1);
    const pipeline = definition();
    const first = await start(pipeline, hours[0]);
    await cleans(1);
    const third = await start(pipeline, hours[2]);
    await waitsFor(third, 'waits until no other run is in flight');
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, 'waits until no other run is in flight');
    await waitsFor(third, 'waits until no other run is in flight, behind 1 other');
    expect(record.calls.filter((name) => name === 'importSource')).toHaveLength(3);
    const { currentDetails } = (await third.query('__temporal_workflow_metadata')) as { currentDetails?: string };
    expect(currentDetails).toContain('**Waiting**: waits until no other run is in flight, behind 1 other.');
    open(pipeline, hours[0]);
    await first.result();
    await cleans(2);
    open(pipeline, hours[2]);
    open(pipeline, hours[1]);
    const report = await second.result();
    expect(report.stages.map(({ stage }) => stage).slice(0, 4)).toEqual(['prepare', 'import', 'slot', 'clean']);
    await third.result();
    expect(cleaned).toEqual(hours.map((hour) => nameOf(pipeline, hour)));
    await until(async () => (await heldSlots()) === 0);
  });

  it('of a pipeline with fewer in flight go before those of a backfill', async () => {
    limit(2);
    const [backfill, hourly] = [definition(), definition()];
    const first = await start(backfill, hours[0]);
    const second = await start(backfill, hours[1]);
    await cleans(2);
    const third = await start(backfill, hours[2]);
    await waitsFor(third, 'waits until fewer than 2 runs are in flight');
    const late = await start(hourly, hours[2]);
    await waitsFor(third, 'waits until fewer than 2 runs are in flight, behind 1 other');
    open(backfill, hours[1]);
    await second.result();
    await cleans(3);
    expect(cleaned[2]).toBe(nameOf(hourly, hours[2]));
    for (const hour of hours) open(backfill, hour);
    open(hourly, hours[2]);
    await Promise.all([first, third, late].map((run) => run.result()));
  });

  it('let go of their slot however they end, and hold it until they have', async () => {
    limit(1);
    const pipeline = definition();
    const first = await start(pipeline, hours[0]);
    await cleans(1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, 'waits until no other run is in flight');
    await first.terminate('as an operator does');
    await cleans(2);
    const third = await start(pipeline, hours[2]);
    await waitsFor(third, 'waits until no other run is in flight');
    // Whoever waits holds none, so nobody has to wait for the one that is cancelled.
    await third.cancel();
    await expect(third.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    open(pipeline, hours[1]);
    expect(await second.result()).toMatchObject({ outcome: 'completed' });
    await until(async () => (await heldSlots()) === 0);
  });

  it('keep nobody from a free slot by being paused behind their own', async () => {
    limit(2);
    const pipeline = definition();
    const first = await start(pipeline, hours[0]);
    await cleans(1);
    const others = definition();
    const second = await start(others, hours[0]);
    await cleans(2);
    const paused = await start(pipeline, hours[1]);
    await waitsFor(paused, 'waits until fewer than 2 runs are in flight');
    await paused.executeUpdate('pause');
    open(pipeline, hours[0]);
    await first.result();
    await until(async () => (await paused.query<RunProgress>('progress')).mode === 'paused');
    open(others, hours[0]);
    await second.result();
    const third = await start(pipeline, hours[2]);
    await cleans(3);
    expect(cleaned[2]).toBe(nameOf(pipeline, hours[2]));
    for (const hour of hours) open(pipeline, hour);
    await third.result();
    await paused.executeUpdate('resume');
    await paused.result();
  });

  it('keep nobody from a free slot once they have given up waiting, though their report is not written yet', async () => {
    limit(1);
    const written = Promise.withResolvers<void>();
    const { writeReport } = goodStages(definition()).stages;
    lab.stages = {
      ...lab.stages,
      writeReport: async (report: { outcome: string } & object) => {
        if (report.outcome === 'cancelled') await written.promise;
        return writeReport(report as never);
      },
    };
    const pipeline = definition();
    const first = await start(pipeline, hours[0]);
    await cleans(1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, 'waits until no other run is in flight');
    const third = await start(pipeline, hours[2]);
    await waitsFor(third, 'waits until no other run is in flight, behind 1 other');
    await second.cancel();
    open(pipeline, hours[0]);
    await first.result();
    await cleans(2);
    expect(cleaned[1]).toBe(nameOf(pipeline, hours[2]));
    written.resolve();
    open(pipeline, hours[2]);
    await third.result();
    await expect(second.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
  });

  it('say how long they were passed over, while slots are free and nobody in front moves, and not while all are held', async () => {
    limit(1);
    const pipeline = definition();
    const asked: (number | undefined)[] = [];
    lab.stages = {
      ...lab.stages,
      findSlots: async ({ passedOverMs }: { passedOverMs?: number }) => {
        asked.push(passedOverMs);
        const answers = [{ room: 1 }, { room: 0 }, { room: 1 }, { room: 1 }];
        return { limit: 1, free: [], ahead: 1, room: 0, ...(answers[asked.length - 1] ?? { free: [0] }) };
      },
    };
    open(pipeline, hours[0]);
    const run = await start(pipeline, hours[0]);
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(asked.map((ms) => ms !== undefined && Math.floor(ms / 1_000) > 0)).toEqual([false, true, false, true, true]);
    expect(asked[4]).toBeGreaterThan(asked[3] ?? Infinity);
  });

  it('take turns before slots, so that nobody with a slot waits for somebody without', async () => {
    limit(1);
    const pipeline = definition({ key: ['id'], duplicates: { acrossRuns: true } });
    const other = definition();
    const elsewhere = await start(other, hours[0]);
    await cleans(1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, 'waits until no other run is in flight');
    // It has had its turn by then, so even an older hour waits for it; what the list says of it is a little behind.
    const listed = `WorkflowId = "${second.workflowId}" AND PipelineStage = "slot"`;
    await until(async () => (await lab.temporal.client.workflow.count(listed)).count === 1);
    const first = await start(pipeline, hours[0]);
    await until(async () => (await first.query<RunProgress>('progress')).current === 'turn');
    open(other, hours[0]);
    await elsewhere.result();
    open(pipeline, hours[1]);
    open(pipeline, hours[0]);
    const reports = await Promise.all([first, second].map((run) => run.result()));
    for (const { stages } of reports) {
      expect(stages.map(({ stage }) => stage).slice(2, 5)).toEqual(['turn', 'slot', 'clean']);
    }
  });

  it('let it go while their consumer is paused, and take one again behind that', async () => {
    limit(1);
    const [waiting, other] = [definition(), definition()];
    let paused = true;
    const { findLanded, prepare } = goodStages(definition()).stages;
    lab.stages = {
      ...lab.stages,
      prepare: async ({ pipeline }: { pipeline: Pipeline }) => {
        const [stream] = (await prepare(undefined as never)) as [object];
        return [{ ...stream, stream: pipeline.name }];
      },
      findLanded: async (input: { stream: string } & object) =>
        input.stream === waiting.name && paused ? undefined : findLanded(input as never),
      consumerState: async () => ({ mode: 'paused', stream: waiting.name, topic: 't', epoch: 'e1', life: 1 }),
    };
    open(waiting, hours[0]);
    const first = await start(waiting, hours[0]);
    await until(async () => {
      const { current, waiting: what } = await first.query<RunProgress>('progress');
      return current === 'land' && what === `the consumer of ${waiting.name} is paused`;
    });
    const second = await start(other, hours[0]);
    await cleans(2);
    paused = false;
    await first.signal('landed', { batch: 'b1' });
    await waitsFor(first, 'waits until no other run is in flight');
    open(other, hours[0]);
    await second.result();
    const stages = (await first.result()).stages.map(({ stage }) => stage);
    expect(stages.slice(2)).toEqual([
      ...['slot', 'clean', 'quality', 'publish', 'land', 'slot', 'commit', 'index', 'reconcile'],
    ]);
    await until(async () => (await heldSlots()) === 0);
  });

  it('go on where the limit is taken away', async () => {
    limit(1);
    const pipeline = definition();
    const first = await start(pipeline, hours[0]);
    await cleans(1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, 'waits until no other run is in flight');
    delete settings.maxRuns;
    await cleans(2);
    open(pipeline, hours[0]);
    open(pipeline, hours[1]);
    const reports = await Promise.all([first, second].map((run) => run.result()));
    expect(reports).toMatchObject([{ outcome: 'completed' }, { outcome: 'completed' }]);
  });

  it('know nothing of slots where there is no limit', async () => {
    const record = limit(undefined);
    const pipeline = definition();
    open(pipeline, hours[0]);
    const run = await start(pipeline, hours[0]);
    expect((await run.result()).stages.map(({ stage }) => stage)).not.toContain('slot');
    expect(record.calls).not.toContain('findSlots');
    const { events } = await run.fetchHistory();
    const children = (events ?? []).map(
      (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId,
    );
    expect(children).not.toContainEqual(expect.stringMatching(/^slot/));
  });
});
