import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunProgress } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const away = 'Temporal does not list the runs: it is away.';

/** Fake stages: a list that is away is what a real one is not on demand. */
describe.skipIf(noTemporal)('a run that waits for others while Temporal does not list them', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  /** Begins a run whose question for its turn, or its slot, has no answer until `back`. */
  async function start(stage: 'turn' | 'slot') {
    const pipeline = definition(stage === 'turn' ? { key: ['id'], duplicates: { acrossRuns: true } } : {});
    const { stages, record } = goodStages(pipeline);
    let isAway = true;
    const refusing = (name: 'findRunsAhead' | 'findSlots') => async (): Promise<unknown> => {
      if (isAway) throw new SluiceError('Unexpected', away);
      return stages[name](undefined as never);
    };
    lab.stages = {
      ...stages,
      importSource: async () => ({
        ...((await stages.importSource(undefined as never)) as object),
        ...(stage === 'slot' ? { takesSlot: true } : {}),
      }),
      findRunsAhead: refusing('findRunsAhead'),
      findSlots: refusing('findSlots'),
    };
    const run = await lab.temporal.client.workflow.start<typeof pipelineWorkflow>('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
    const waits = () =>
      vi.waitUntil(
        async () => {
          const { current, waiting } = await run.query<RunProgress>('progress');
          return current === stage && waiting === `asks again for whom to wait: ${away.slice(0, -1)}`;
        },
        { timeout: 60_000, interval: 50 },
      );
    return { run, record, waits, back: () => (isAway = false) };
  }

  it.each(['turn', 'slot'] as const)('for its %s says so, asks again and goes on, and tells nobody', async (stage) => {
    const { run, record, waits, back } = await start(stage);
    await waits();
    back();
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(record.calls).not.toContain('tellOf');
  });

  it('is cancelled as any other', async () => {
    const { run, record, waits } = await start('slot');
    await waits();
    await run.executeUpdate('cancel');
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { code: 'Cancelled', stage: 'slot' } }]);
  });
});
