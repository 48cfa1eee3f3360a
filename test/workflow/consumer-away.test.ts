import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { consumingActivities } from '../../src/activities/consuming.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { consumer as consumerWorkflow, pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { ConsumerState, RunProgress } from '../../src/workflows/messages.ts';
import { FakeReading, consumeInput } from '../helpers/fake-reading.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

/** Fake stages, but the real question to the real consumer. */
describe.skipIf(noTemporal)('a run and the consumer that it waits for', () => {
  let lab: WorkflowLab;
  let reading: FakeReading;
  /** Looks whether the batch has landed, and what they find. */
  let looks = 0;
  let landed = false;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  beforeEach(() => {
    reading = new FakeReading();
    [looks, landed] = [0, false];
  });

  const until = (what: () => boolean | Promise<boolean>) => vi.waitUntil(what, { timeout: 60_000, interval: 50 });

  function stagesOf(pipeline: Pipeline) {
    const { stages, record } = goodStages(pipeline);
    const { consumerState } = consumingActivities({} as StageDeps);
    lab.stages = {
      ...stages,
      consumerState,
      consume: reading.consume,
      findLanded: async () => {
        looks += 1;
        return landed ? stages.findLanded(undefined as never) : undefined;
      },
    };
    return { stages, record };
  }
  const start = (pipeline: Pipeline) =>
    lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
  type Run = Awaited<ReturnType<typeof start>>;
  const consumerOf = ({ name }: Pipeline) =>
    lab.temporal.client.workflow.getHandle<typeof consumerWorkflow>(ids.consumer(name, 0));
  const startConsumer = ({ name }: Pipeline) =>
    lab.temporal.client.workflow.start<typeof consumerWorkflow>('consumer', {
      workflowId: ids.consumer(name, 0),
      taskQueue: taskQueues.light,
      args: [{ consume: consumeInput(name) }],
    });
  /** Wakes the run: what it is told it looks at itself. */
  const wake = (run: Run) => run.signal('landed', { batch: 'b1' });
  const waits = (run: Run, looked = 1) =>
    until(async () => looks >= looked && (await run.query<RunProgress>('progress')).current === 'land');
  const outcomeOf = async (run: Run): Promise<string> => {
    landed = true;
    await wake(run);
    return (await run.result()).outcome;
  };
  const drained = async (pipeline: Pipeline): Promise<void> => {
    await consumerOf(pipeline).executeUpdate('drain');
    await consumerOf(pipeline).result();
  };

  it('takes the one that runs, and tells it of the newest epoch and limits', async () => {
    const pipeline = definition({ land: { maxRecords: 77 } });
    const { stages } = stagesOf(pipeline);
    const [prepared] = (await stages.prepare(undefined as never)) as [object];
    lab.stages = { ...lab.stages, prepare: async () => [{ ...prepared, epoch: 'e2', life: 2 }] };
    const consumer = await startConsumer(pipeline);
    await until(() => reading.now === 1);
    const run = await start(pipeline);
    await until(() => reading.given.length === 2);
    expect(reading.given[1]).toMatchObject({ epoch: 'e2', life: 2, maxRecords: 77 });
    await waits(run);
    expect(await outcomeOf(run)).toBe('completed');
    // It is another's child and outlives this run.
    expect(await consumerOf(pipeline).describe()).toMatchObject({
      status: { name: 'RUNNING' },
      runId: consumer.firstExecutionRunId,
    });
    await drained(pipeline);
  });

  it.each(['terminated', 'drained', 'cancelled'] as const)('starts another where it was %s meanwhile', async (how) => {
    const pipeline = definition();
    stagesOf(pipeline);
    const run = await start(pipeline);
    await until(() => reading.now === 1);
    await waits(run);
    const { runId: first } = await consumerOf(pipeline).describe();
    const word = { terminated: 'terminate', cancelled: 'cancel' } as const;
    await (how === 'drained' ? consumerOf(pipeline).signal('drain') : consumerOf(pipeline)[word[how]]());
    await until(async () => (await consumerOf(pipeline).describe()).status.name !== 'RUNNING');
    await wake(run);
    await until(async () => (await consumerOf(pipeline).describe()).runId !== first);
    await until(() => reading.given.length === 2);
    expect(await outcomeOf(run)).toBe('completed');
    await drained(pipeline);
  });

  it('waits while no worker reads, and ends once there is one', async () => {
    const pipeline = definition();
    stagesOf(pipeline);
    const run = await lab.without(taskQueues.streaming, async () => {
      const started = await start(pipeline);
      await waits(started);
      await wake(started);
      await waits(started, 2);
      expect(reading.given).toEqual([]);
      return started;
    });
    await until(() => reading.now === 1);
    expect(await outcomeOf(run)).toBe('completed');
    await drained(pipeline);
  });

  it('says that it waits for a paused one, however long, and goes on', async () => {
    const pipeline = definition();
    stagesOf(pipeline);
    const run = await start(pipeline);
    await until(() => reading.now === 1);
    await consumerOf(pipeline).executeUpdate('pause');
    await wake(run);
    const waiting = async () => (await run.query<RunProgress>('progress')).waiting ?? '';
    await until(async () => (await waiting()).includes(`the consumer of ${pipeline.name} is paused`));
    await consumerOf(pipeline).executeUpdate('resume');
    await wake(run);
    await until(async () => (await waiting()) === '');
    expect(await outcomeOf(run)).toBe('completed');
    await drained(pipeline);
  });

  it('is told nothing at each look where it reads what the run has published, paused or not', async () => {
    const pipeline = definition();
    stagesOf(pipeline);
    const run = await start(pipeline);
    await until(() => reading.now === 1);
    await consumerOf(pipeline).executeUpdate('pause');
    for (const looked of [2, 3, 4]) {
      await wake(run);
      await waits(run, looked);
    }
    expect(await outcomeOf(run)).toBe('completed');
    const { events } = await run.fetchHistory();
    const commands = (events ?? []).filter(
      (event) =>
        event.startChildWorkflowExecutionInitiatedEventAttributes ??
        event.signalExternalWorkflowExecutionInitiatedEventAttributes,
    );
    expect(commands).toHaveLength(1);
    await drained(pipeline);
  });

  it('fails with what has halted it, and the next run finds it resumed', async () => {
    const pipeline = definition();
    const { record } = stagesOf(pipeline);
    reading.problem = new SluiceError('RowsMissing', 'row 7 of b0 never came');
    const run = await start(pipeline);
    await until(
      async () =>
        (
          await consumerOf(pipeline)
            .query<ConsumerState>('state')
            .catch(() => undefined)
        )?.mode === 'halted',
    );
    await wake(run);
    await expect(run.result()).rejects.toMatchObject({
      cause: { type: 'RowsMissing', message: 'row 7 of b0 never came' },
    });
    expect(record.reports).toMatchObject([{ outcome: 'failed', error: { code: 'RowsMissing', stage: 'land' } }]);
    reading.problem = undefined;
    await consumerOf(pipeline).executeUpdate('resume');
    const again = await start(pipeline);
    await waits(again);
    expect(await outcomeOf(again)).toBe('completed');
    await drained(pipeline);
  });

  it('leads one out of a halt that was about a topic before this one', async () => {
    const pipeline = definition();
    const { stages } = stagesOf(pipeline);
    const [prepared] = (await stages.prepare(undefined as never)) as [object];
    lab.stages = { ...lab.stages, prepare: async () => [{ ...prepared, epoch: 'e2', life: 2 }] };
    reading.problem = new SluiceError('TopicRecreated', 'another topic');
    await startConsumer(pipeline);
    await until(async () => (await consumerOf(pipeline).query<ConsumerState>('state')).mode === 'halted');
    reading.problem = undefined;
    const run = await start(pipeline);
    await until(() => reading.given.at(-1)?.epoch === 'e2');
    await waits(run);
    expect(await outcomeOf(run)).toBe('completed');
    await drained(pipeline);
  });

  it('leaves a word aside that names no batch, as a button of the Web UI sends it', async () => {
    const pipeline = definition();
    stagesOf(pipeline);
    const run = await start(pipeline);
    await waits(run);
    await run.signal('landed');
    for (const given of [null, 'b1', { batch: 7 }]) await run.signal('landed', given);
    expect((await run.query<RunProgress>('progress')).current).toBe('land');
    expect(looks).toBe(1);
    expect(await outcomeOf(run)).toBe('completed');
    await drained(pipeline);
  });

  it('hears a word that comes before it waits, and none that is about another batch', async () => {
    const pipeline = definition();
    const { stages } = stagesOf(pipeline);
    const publishes = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    lab.stages = {
      ...lab.stages,
      publish: async () => {
        publishes.resolve();
        await goesOn.promise;
        return stages.publish(undefined as never);
      },
    };
    const run = await start(pipeline);
    await publishes.promise;
    await run.signal('landed', { batch: 'b1' });
    await run.signal('landed', { batch: 'of another' });
    goesOn.resolve();
    // Told before: it looks a second time at once, and then waits.
    await waits(run, 2);
    await run.signal('landed', { batch: 'of another' });
    await run.query('progress');
    expect(looks).toBe(2);
    expect(await outcomeOf(run)).toBe('completed');
    // And one that comes when all is over has nobody to go to.
    await expect(wake(run)).rejects.toThrow(/completed|not found/i);
    await drained(pipeline);
  });
});
