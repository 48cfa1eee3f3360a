import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchHour } from '../../src/client/launching.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a launch by who has little patience', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const message = 'No worker has taken the launch up, so it was taken back: start one with "npx sluice worker".';
  const resultOf = (workflowId: string): Promise<unknown> =>
    lab.temporal.client.workflow.getHandle(workflowId).result();

  it('is taken back where no worker takes it up, is answered alike under one key, and may be asked again', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const { client } = lab.temporal;
    const launch = () => launchHour(client, { pipeline, hour }, { key: 'once', patienceMs: 1_500 });
    await lab.without(taskQueues.light, async () => {
      const answers = await Promise.allSettled([launch(), launch()]);
      const refused = { status: 'rejected', reason: { code: 'NoWorker', message } };
      expect(answers).toMatchObject([refused, refused]);
    });
    const { outcome, workflowId } = await launchHour(client, { pipeline, hour }, { key: 'once' });
    expect(outcome).toBe('started');
    await resultOf(workflowId);
  });

  it.each([
    ['has ended meanwhile', false],
    ['has begun its run meanwhile, and waits for it', true],
  ])('is not said to be taken back where it %s', async (_what, waits) => {
    const pipeline = definition();
    const { stages: good } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = {
      ...good,
      clean: async (input: never) => {
        await gate.pass();
        return good.clean(input);
      },
    };
    const looked = Promise.withResolvers<void>();
    const acts = Promise.withResolvers<void>();
    // Its first look at the launch is old by the time that it acts on it.
    const late = new Client({
      connection: lab.temporal.connection,
      interceptors: {
        workflow: [
          {
            describe: async (input, next) => {
              const found = await next(input);
              looked.resolve();
              if (input.workflowExecution.workflowId?.startsWith('launch/')) await acts.promise;
              return found;
            },
          },
        ],
      },
    });
    const { launching } = await lab.without(taskQueues.light, async () => {
      const answer = launchHour(late, { pipeline, hour, wait: waits }, { patienceMs: 500 });
      await looked.promise;
      return { launching: answer };
    });
    await gate.reached;
    acts.resolve();
    const workflowId = ids.pipeline(pipeline.name, hour);
    expect(await launching).toEqual({ outcome: 'started', hour, workflowId });
    gate.open();
    expect(await resultOf(workflowId)).toMatchObject({ outcome: 'completed' });
  });

  it('is said to go on where a worker has taken it up and is not through', async () => {
    const pipeline = definition();
    const { stages: good } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = {
      ...good,
      findDone: async () => {
        await gate.pass();
      },
    };
    const launching = launchHour(lab.temporal.client, { pipeline, hour }, { key: 'slow', patienceMs: 300 });
    await expect(launching).rejects.toMatchObject({
      code: 'LaunchPending',
      message: expect.stringContaining('may still start') as unknown,
    });
    gate.open();
    const joined = await launchHour(lab.temporal.client, { pipeline, hour }, { key: 'slow' });
    expect(joined.outcome).toBe('started');
    await resultOf(joined.workflowId);
  });
});
