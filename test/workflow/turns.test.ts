import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { turnActivities } from '../../src/activities/turns.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunProgress } from '../../src/workflows/messages.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const hours = [1, 2, 3].map((n) => `2026-11-24T0${n}:00:00Z`) as [string, string, string];

/** Fake stages, but the real question to the real list of runs. */
describe.skipIf(noTemporal)('runs of a pipeline that takes keys of earlier hours out', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const acrossRuns = (): Pipeline => definition({ key: ['id'], duplicates: { acrossRuns: true } });
  const start = (pipeline: Pipeline, hour: string) =>
    lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
  type Run = Awaited<ReturnType<typeof start>>;

  async function until(what: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 1_200; tries += 1) {
      if (await what()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it never came to that');
  }

  const progressOf = (run: Run): Promise<RunProgress> => run.query<RunProgress>('progress');
  const waitsFor = (run: Run, sentence: string): Promise<void> =>
    until(async () => {
      const { current, waiting } = await progressOf(run);
      return current === 'turn' && waiting === sentence;
    });

  /** Stages whose cleaning waits for the hour's gate; what was cleaned, in order. */
  function gated(pipeline: Pipeline) {
    const { stages, record } = goodStages(pipeline);
    const gates = new Map(hours.map((hour) => [hour, Promise.withResolvers<void>()]));
    const cleaned: string[] = [];
    lab.stages = {
      ...stages,
      ...turnActivities(),
      clean: async ({ hour }: { hour: string }) => {
        cleaned.push(hour);
        await gates.get(hour)?.promise;
        return stages.clean(undefined as never);
      },
    };
    return { record, cleaned, open: (hour: string): void => gates.get(hour)?.resolve() };
  }

  it('wait while an older hour runs, and go on after it', async () => {
    const pipeline = acrossRuns();
    const { cleaned, open } = gated(pipeline);
    const first = await start(pipeline, hours[0]);
    await until(async () => cleaned.length === 1);
    const third = await start(pipeline, hours[2]);
    await waitsFor(third, `waits for hour ${hours[0]}`);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, `waits for hour ${hours[0]}`);
    await waitsFor(third, `waits for hour ${hours[0]} and 1 more`);
    const { currentDetails } = (await third.query('__temporal_workflow_metadata')) as { currentDetails?: string };
    expect(currentDetails).toContain(`**Waiting**: waits for hour ${hours[0]} and 1 more.`);
    expect(cleaned).toEqual([hours[0]]);
    open(hours[0]);
    await first.result();
    await until(async () => cleaned.length === 2);
    expect(cleaned).toEqual([hours[0], hours[1]]);
    open(hours[2]);
    open(hours[1]);
    expect((await second.result()).stages.map(({ stage }) => stage).slice(0, 4)).toEqual([
      ...['prepare', 'import', 'turn', 'clean'],
    ]);
    expect(await third.result()).toMatchObject({ outcome: 'completed' });
    expect(cleaned).toEqual(hours);
  });

  it('wait for a newer hour that has had its turn, and no longer than for that', async () => {
    const pipeline = acrossRuns();
    const { cleaned, open } = gated(pipeline);
    const third = await start(pipeline, hours[2]);
    await until(async () => cleaned.length === 1);
    // What the list says of the stage is a little behind.
    const listed = `WorkflowId = "${third.workflowId}" AND PipelineStage = "clean"`;
    await until(async () => (await lab.temporal.client.workflow.count(listed)).count === 1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, `waits for hour ${hours[2]}`);
    const first = await start(pipeline, hours[0]);
    await waitsFor(first, `waits for hour ${hours[2]}`);
    for (const hour of hours) open(hour);
    await Promise.all([first, second, third].map((run) => run.result()));
    expect(cleaned).toEqual([hours[2], hours[0], hours[1]]);
  });

  it('can be cancelled while they wait, and tell nobody', async () => {
    const pipeline = acrossRuns();
    const { cleaned, open, record } = gated(pipeline);
    const first = await start(pipeline, hours[0]);
    await until(async () => cleaned.length === 1);
    const second = await start(pipeline, hours[1]);
    await waitsFor(second, `waits for hour ${hours[0]}`);
    await second.cancel();
    await expect(second.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.reports).toMatchObject([{ hour: hours[1], outcome: 'cancelled', error: { stage: 'turn' } }]);
    expect(record.calls).not.toContain('tellOf');
    open(hours[0]);
    expect(await first.result()).toMatchObject({ outcome: 'completed' });
    expect(cleaned).toEqual([hours[0]]);
  });

  it('say in their reports which hours they made stale', async () => {
    const pipeline = acrossRuns();
    const { stages } = goodStages(pipeline);
    const madeStale = { hours: [hours[1]], count: 1, itself: false };
    let asked: unknown;
    lab.stages = {
      ...stages,
      markStale: async (input: unknown) => {
        asked = input;
        return madeStale;
      },
    };
    expect(await (await start(pipeline, hours[0])).result()).toMatchObject({ outcome: 'completed', madeStale });
    expect(asked).toEqual({ pipeline: pipeline.name, hour: hours[0], generation: 1 });
    lab.stages = stages;
    expect(await (await start(pipeline, hours[0])).result()).not.toHaveProperty('madeStale');
  });

  it('are the only ones that take turns', async () => {
    const pipeline = definition();
    const { record, open, cleaned } = gated(pipeline);
    const first = await start(pipeline, hours[0]);
    await until(async () => cleaned.length === 1);
    open(hours[1]);
    const report = await (await start(pipeline, hours[1])).result();
    expect(report.stages.map(({ stage }) => stage)).not.toContain('turn');
    open(hours[0]);
    await first.result();
    expect(record.calls).not.toContain('markStale');
    const { events } = await first.fetchHistory();
    const asked = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
    expect(asked).toContain('clean');
    expect(asked).not.toContain('findRunsAhead');
  });
});
