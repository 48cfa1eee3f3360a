import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { ReindexInput, ReindexReport } from '../../src/workflows/messages.ts';
import { stopped } from '../helpers/fake-reading.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the reindex workflow', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab.stop();
  });

  const run = (input: ReindexInput): Promise<ReindexReport> =>
    lab.temporal.client.workflow.execute('reindex', {
      workflowId: ids.reindex(input.pipeline.name),
      taskQueue: taskQueues.light,
      args: [input],
    });

  const aggregate = [{ name: 'kinds', groupBy: ['id'], measures: { n: { count: '*' as const } } }];

  it('rebuilds each data set, main first, into what was planned for it', async () => {
    const pipeline = definition({ aggregate });
    const { stages } = goodStages(pipeline);
    const asked: unknown[] = [];
    lab.stages = {
      ...stages,
      planRebuild: async ({ dataset }: { dataset: string }) => ({
        ...((await stages.planRebuild(undefined as never)) as object),
        dataset,
        to: `${dataset}-000002`,
      }),
      rebuildIndex: async ({ dataset, from, to, keepOld }: Record<string, unknown>) => {
        asked.push({ dataset, from, to, keepOld });
        return stages.rebuildIndex(undefined as never);
      },
    };
    const report = await run({ pipeline, keepOld: true });
    expect(asked).toEqual([
      { dataset: 'main', from: 'a-000001', to: 'main-000002', keepOld: true },
      { dataset: 'kinds', from: 'a-000001', to: 'kinds-000002', keepOld: true },
    ]);
    expect(report).toMatchObject({ pipeline: pipeline.name, dryRun: false });
    expect(report.rebuilt).toHaveLength(2);
  });

  it('plans alone in a dry run', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    lab.stages = stages;
    expect(await run({ pipeline, dryRun: true })).toMatchObject({ dryRun: true, plans: [{ hours: 2 }], rebuilt: [] });
    expect(record.calls).toEqual(['planRebuild']);
  });

  it('goes on with the same plan where filling fails and is tried again', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const into: string[] = [];
    lab.stages = {
      ...stages,
      rebuildIndex: async ({ to }: { to: string }) => {
        into.push(to);
        if (into.length < 3) throw new SluiceError('ElasticsearchUnavailable', 'away');
        return stages.rebuildIndex(undefined as never);
      },
    };
    await run({ pipeline });
    expect(into).toEqual(['a-000002', 'a-000002', 'a-000002']);
    expect(record.calls).toEqual(['planRebuild', 'rebuildIndex']);
  });

  it('fails with the code and sentence of what failed it, and with all that is wrong with a definition', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    lab.stages = {
      ...stages,
      rebuildIndex: async () => {
        throw new SluiceError('DocumentsRefused', 'three of them');
      },
    };
    await expect(run({ pipeline })).rejects.toMatchObject({
      cause: { type: 'DocumentsRefused', message: 'three of them' },
    });
    const broken = { ...definition(), columns: {} };
    await expect(run({ pipeline: broken })).rejects.toMatchObject({ cause: { type: 'DefinitionInvalid' } });
  });

  it('stops when it is cancelled, and swaps nothing', async () => {
    const pipeline = definition({ aggregate });
    const { stages, record } = goodStages(pipeline);
    const began = Promise.withResolvers<void>();
    lab.stages = { ...stages, rebuildIndex: () => stopped(began.resolve) };
    const handle = await lab.temporal.client.workflow.start('reindex', {
      ...{ workflowId: ids.reindex(pipeline.name), taskQueue: taskQueues.light, args: [{ pipeline }] },
    });
    await began.promise;
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.calls).toEqual(['planRebuild']);
  });
});
