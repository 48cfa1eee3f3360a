import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { CleanResult, PreparedStream } from '../../src/definition/refs.ts';
import type { RunProgress } from '../../src/workflows/messages.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab, type FakeActivities } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the data sets of a run', () => {
  let lab: WorkflowLab;
  /** What happened, in order. */
  let told: string[] = [];

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  beforeEach(() => {
    told = [];
  });

  /** A run with an aggregate, whose `publish` is as given, by data set, and what else is to be of its own kind. */
  async function start(publish: (dataset: string) => Promise<void>, others: FakeActivities = {}) {
    const pipeline = definition({
      aggregate: [{ name: 'kinds', groupBy: ['id'], measures: { n: { count: '*' } } }],
    });
    const { stages, record } = goodStages(pipeline);
    const [main] = (await stages.prepare(undefined as never)) as [PreparedStream];
    const cleaned = (await stages.clean(undefined as never)) as CleanResult;
    const batches = [...cleaned.batches, ...cleaned.batches.map((batch) => ({ ...batch, dataset: 'kinds' }))];
    const noting =
      (name: 'discardPartial' | 'tellOf') =>
      async (given: never): Promise<unknown> => {
        told.push(name);
        return stages[name](given);
      };
    lab.stages = {
      ...stages,
      prepare: async () => [main, { ...main, dataset: 'kinds', stream: `${pipeline.name}.kinds` }],
      clean: async () => ({ ...cleaned, batches }),
      publish: async ({ prepared }: { prepared: PreparedStream }) => {
        await publish(prepared.dataset);
        return stages.publish(undefined as never);
      },
      discardPartial: noting('discardPartial'),
      tellOf: noting('tellOf'),
      ...others,
    };
    const run = await lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
    return { run, record };
  }

  /** Is at work until it is told to stop, and for a while longer. */
  async function slowToStop(gate: Gate): Promise<void> {
    await gate.pass().catch(async () => {
      const { heartbeat } = Context.current();
      for (let times = 0; times < 10; times += 1) {
        heartbeat();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      told.push('main has stopped');
      await Context.current().cancelled;
    });
  }

  it('are all at an end before it is told that one of them failed', async () => {
    const gate = new Gate();
    const { run, record } = await start(async (dataset) => {
      if (dataset === 'main') return slowToStop(gate);
      await gate.reached;
      throw new SluiceError('SourceNotFound', 'kinds is not there');
    });
    await expect(run.result()).rejects.toMatchObject({
      cause: { type: 'SourceNotFound', message: 'kinds is not there' },
    });
    expect(told).toEqual(['main has stopped', 'tellOf']);
    expect(record.reports).toMatchObject([{ outcome: 'failed', error: { code: 'SourceNotFound', stage: 'publish' } }]);
  });

  it('are all at an end before what a cancelled run made is removed', async () => {
    const gate = new Gate();
    const other = new Gate();
    const { run, record } = await start((dataset) => (dataset === 'main' ? slowToStop(gate) : other.pass()));
    await Promise.all([gate.reached, other.reached]);
    await run.executeUpdate('cancel');
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(told).toEqual(['main has stopped', 'discardPartial']);
    expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { code: 'Cancelled', stage: 'publish' } }]);
  });

  it('do not go on being waited for on purpose once they have landed, while another one has not', async () => {
    const landed = new Set<string>();
    const { findLanded } = goodStages(definition()).stages;
    const isMain = (stream: string): boolean => !stream.endsWith('.kinds');
    const { run } = await start(async () => {}, {
      findLanded: async ({ stream }: { stream: string }) =>
        landed.has(isMain(stream) ? 'main' : 'kinds') ? findLanded(undefined as never) : undefined,
      consumerState: async ({ stream }: { stream: string }) => ({
        ...{ mode: isMain(stream) ? 'paused' : 'running', stream, topic: stream, epoch: 'e1', life: 1 },
      }),
    });
    const until = (what: (progress: RunProgress) => boolean) =>
      vi.waitUntil(async () => what(await run.query<RunProgress>('progress')), { timeout: 60_000, interval: 50 });
    await until(({ waiting }) => waiting?.endsWith('is paused') === true);
    landed.add('main');
    await run.signal('landed', { batch: 'b1' });
    await until(({ current, waiting }) => current === 'land' && waiting === undefined);
    landed.add('kinds');
    await run.signal('landed', { batch: 'b1' });
    await run.signal('landed', { batch: 'b1' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });
});
