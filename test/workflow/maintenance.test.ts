import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { taskQueues } from '../../src/definition/names.ts';
import type { maintenance as maintenanceWorkflow } from '../../src/workflows/index.ts';
import type { MaintenanceInput, MaintenanceReport } from '../../src/workflows/maintenance-messages.ts';
import { stopped } from '../helpers/fake-reading.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('the maintenance workflow', () => {
  let lab: WorkflowLab;
  let started = 0;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const maintain = async (input: unknown): Promise<MaintenanceReport> => {
    started += 1;
    return lab.temporal.client.workflow.execute<typeof maintenanceWorkflow>('maintenance', {
      workflowId: `maintenance-${started}`,
      taskQueue: taskQueues.light,
      args: [input as MaintenanceInput],
      workflowExecutionTimeout: '30s',
    });
  };

  it('does what the definition asks for, in order, for every data set', async () => {
    const aggregate = [{ name: 'by_id', groupBy: ['id'], measures: { n: { count: '*' as const } } }];
    const pipeline = definition({ keep: { hours: '30d' }, aggregate });
    const { stages, record } = goodStages(pipeline);
    const asked: unknown[] = [];
    lab.stages = {
      ...stages,
      collectGarbage: async (input: unknown) => {
        asked.push(input);
        return stages.collectGarbage(undefined as never);
      },
    };
    const report = await maintain({ pipeline });
    expect(record.calls).toEqual(['retain', 'compactStream', 'compactStream', 'collectGarbage']);
    const streams = [pipeline.name, `${pipeline.name}.by_id`];
    expect(asked).toEqual([{ pipeline: pipeline.name, streams, dryRun: false }]);
    expect(report).toMatchObject({ pipeline: pipeline.name, dryRun: false, gc: { tallies: [] } });
  });

  it('leaves out what the definition leaves out, and does what it is told', async () => {
    const pipeline = definition({ maintenance: { compact: false } });
    const { stages, record } = goodStages(pipeline);
    lab.stages = stages;
    await maintain({ pipeline });
    expect(record.calls.splice(0)).toEqual(['collectGarbage']);
    const report = await maintain({ pipeline, tasks: ['compact'], dryRun: true });
    expect(record.calls).toEqual(['compactStream']);
    expect(report.dryRun).toBe(true);
  });

  it('tries again what may pass, and fails with the code and sentence of what does not', async () => {
    const pipeline = definition({ keep: { hours: '30d' } });
    const { stages, record } = goodStages(pipeline);
    let tries = 0;
    const compactStream = async (): Promise<unknown> => {
      tries += 1;
      if (tries < 3) throw new SluiceError('StoreUnavailable', 'away');
      return stages.compactStream(undefined as never);
    };
    lab.stages = { ...stages, compactStream };
    await maintain({ pipeline });
    expect([tries, record.calls]).toEqual([3, ['retain', 'compactStream', 'collectGarbage']]);
    const corrupt = async (): Promise<never> => {
      throw new SluiceError('ObjectCorrupt', 'an object is not what its record says');
    };
    lab.stages = { ...stages, compactStream: corrupt };
    await expect(maintain({ pipeline })).rejects.toMatchObject({
      cause: { cause: { type: 'ObjectCorrupt', message: 'an object is not what its record says' } },
    });
    expect(record.calls.filter((name) => name === 'collectGarbage')).toHaveLength(1);
  });

  it('stops what it is at when it is cancelled, and begins nothing else', async () => {
    const pipeline = definition({ keep: { hours: '30d' } });
    const { stages, record } = goodStages(pipeline);
    const began = Promise.withResolvers<void>();
    lab.stages = { ...stages, retain: () => stopped(began.resolve) };
    const handle = await lab.temporal.client.workflow.start<typeof maintenanceWorkflow>('maintenance', {
      ...{ workflowId: `maintenance-${pipeline.name}`, taskQueue: taskQueues.light, args: [{ pipeline }] },
    });
    await began.promise;
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) as unknown });
    expect(record.calls).toEqual([]);
  });

  it.each([
    [{ before: '2026-02-31x' }, /is no day/],
    [{ before: '2999-01-01' }, /has not come yet/],
    [{ tasks: ['everything'] }, /tasks must be a list of retain, compact, gc/],
    [{ pipeline: 7 }, /./],
  ])('refuses %j in one sentence', async (wrong, sentence) => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    lab.stages = stages;
    const error = await maintain({ pipeline, ...wrong }).catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    const cause = (error as WorkflowFailedError).cause;
    expect(`${cause?.message} ${(cause?.cause as Error | undefined)?.message ?? ''}`).toMatch(sentence);
    expect(record.calls).toEqual([]);
  });
});
