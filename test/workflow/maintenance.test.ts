import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskQueues } from '../../src/definition/names.ts';
import type { maintenance as maintenanceWorkflow } from '../../src/workflows/index.ts';
import type { MaintenanceInput, MaintenanceReport } from '../../src/workflows/maintenance-messages.ts';
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
