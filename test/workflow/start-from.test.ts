import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues, type StartStage } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { launch as launchWorkflow, pipeline as pipelineWorkflow } from '../../src/workflows/index.ts';
import type { RunInput, RunReport } from '../../src/workflows/messages.ts';
import { committed, definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a run that begins at a later stage', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const acrossRuns = (): Pipeline =>
    definition({ columns: { id: { name: 'id', required: true } }, key: ['id'], duplicates: { acrossRuns: true } });

  /** By the one door that there is. */
  async function run(pipeline: Pipeline, startFrom: StartStage): Promise<RunReport> {
    const workflowId = ids.pipeline(pipeline.name, hour);
    const launched = await lab.temporal.client.workflow.execute<typeof launchWorkflow>('launch', {
      workflowId: `launch-${pipeline.name}-${startFrom}`,
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, startFrom }],
    });
    expect(launched).toEqual({ outcome: 'started', hour, workflowId });
    return lab.temporal.client.workflow.getHandle<typeof pipelineWorkflow>(workflowId).result();
  }
  async function failureOf(pipeline: Pipeline, startFrom: StartStage): Promise<unknown> {
    const error: unknown = await run(pipeline, startFrom).catch((thrown: unknown) => thrown);
    return error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure ? error.cause : error;
  }

  const toTheEnd = ['publish', 'findLanded', 'commitHour', 'indexBatch', 'reconcile', 'writeReport'];

  it.each([
    ['import', ['prepare', 'importSource', 'clean', 'saveLocalCopy', ...toTheEnd]],
    ['clean', ['prepare', 'importSource', 'clean', 'saveLocalCopy', ...toTheEnd]],
    ['publish', ['findStored', 'prepare', 'saveLocalCopy', ...toTheEnd]],
    ['index', ['findStored', 'prepare', 'indexBatch', 'reconcile', 'writeReport']],
  ] as const)('at %s goes through the stages from there, and the last of a done hour too', async (startFrom, calls) => {
    const pipeline = definition({ save: { localCopy: true } });
    const { stages, record } = goodStages(pipeline);
    const asked: unknown[] = [];
    const reconciled: unknown[] = [];
    lab.stages = {
      ...stages,
      findDone: async () => ({ pipeline: pipeline.name, hour, outcome: 'completed' }),
      importSource: async ({ refetch, force, startFrom: from }: RunInput) => {
        asked.push({ refetch, force, from });
        return stages.importSource(undefined as never);
      },
      findStored: async (input: { from: string }) => {
        asked.push(input);
        const stored = (await stages.findStored(undefined as never)) as object;
        return input.from === 'index' ? { ...stored, committed: [committed(pipeline)] } : stored;
      },
      reconcile: async (input: object) => {
        reconciled.push(input);
        return stages.reconcile(undefined as never);
      },
    };
    expect(await run(pipeline, startFrom)).toMatchObject({
      ...{ outcome: 'completed', startFrom, generations: { main: 1 }, batches: { main: 'b1' } },
      schemas: { main: 's1' },
      clean: { datasets: { main: { rows: { read: 3, clean: 3 } } } },
      source: { address: 'https://example.org/a.csv' },
    });
    expect(record.calls).toEqual(calls);
    expect(asked).toEqual([
      startFrom === 'publish' || startFrom === 'index'
        ? { pipeline, hour, from: startFrom }
        : { refetch: startFrom === 'import', force: true, from: startFrom },
    ]);
    // The equation is of all that a whole run's is.
    const { published, landed, hourRecord } = committed(pipeline);
    expect(reconciled).toMatchObject([
      { published: { rows: published.rows }, landed, hourRecord, batch: { batchId: 'b1' }, indexed: { indexed: 3 } },
    ]);
  });

  it('does not let through what a gate blocks', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    const sentence = '4% of the rows were rejected, and 3% block.';
    lab.stages = {
      ...stages,
      findStored: async () => {
        const { cleaned, ...stored } = (await stages.findStored(undefined as never)) as { cleaned: object };
        return { ...stored, cleaned: { ...cleaned, quality: [{ gate: 'rejectedPercent', level: 'block', sentence }] } };
      },
    };
    expect(await failureOf(pipeline, 'publish')).toMatchObject({ type: 'QualityBlocked', message: sentence });
    expect(record.calls).not.toContain('publish');
  });

  it('is refused before anything is made for it', async () => {
    const pipeline = definition();
    const { stages, record } = goodStages(pipeline);
    lab.stages = {
      ...stages,
      findStored: async () => {
        throw new SluiceError('StageNotReached', 'The hour has not been cleaned: run it from clean.');
      },
    };
    expect(await failureOf(pipeline, 'index')).toMatchObject({ type: 'StageNotReached', nonRetryable: true });
    expect(record.calls.toSorted()).toEqual(['tellOf', 'writeReport']);
    expect(record.reports).toMatchObject([{ outcome: 'failed', startFrom: 'index', error: { stage: 'reuse' } }]);
  });

  it('carries columns on that the file had brought along', async () => {
    const pipeline = definition({ contract: { columns: 'evolve' } });
    const { stages } = goodStages(pipeline);
    const prepared: Pipeline[] = [];
    const published: Pipeline[] = [];
    lab.stages = {
      ...stages,
      findStored: async () => {
        const { cleaned, ...stored } = (await stages.findStored(undefined as never)) as { cleaned: object };
        return { ...stored, cleaned: { ...cleaned, evolved: [{ source: 'Extra', name: 'extra' }] } };
      },
      prepare: async (input: { pipeline: Pipeline }) => {
        prepared.push(input.pipeline);
        return stages.prepare(undefined as never);
      },
      publish: async (input: { pipeline: Pipeline }) => {
        published.push(input.pipeline);
        return stages.publish(undefined as never);
      },
    };
    await run(pipeline, 'publish');
    const names = (one: Pipeline | undefined): string[] => Object.values(one?.columns ?? {}).map(({ name }) => name);
    expect(prepared.map(names)).toEqual([['id'], ['id', 'extra']]);
    expect(published.map(names)).toEqual([['id', 'extra']]);
  });

  it('looks again behind its turn whether what it found still holds', async () => {
    const pipeline = acrossRuns();
    const { stages, record } = goodStages(pipeline);
    let looks = 0;
    lab.stages = {
      ...stages,
      findStored: async () => {
        looks += 1;
        if (looks === 2) throw new SluiceError('StageOutdated', 'Hours below have changed: run it from clean.');
        return stages.findStored(undefined as never);
      },
    };
    expect(await failureOf(pipeline, 'publish')).toMatchObject({ type: 'StageOutdated' });
    expect(record.calls.slice(0, 3)).toEqual(['findStored', 'prepare', 'findRunsAhead']);
    expect(record.calls).not.toContain('publish');
    expect(record.reports).toMatchObject([{ error: { stage: 'turn' } }]);
  });

  it('tells of hours that are stale now, though whoever committed the hour had died before it could', async () => {
    const pipeline = acrossRuns();
    const { stages, record } = goodStages(pipeline);
    const madeStale = { hours: ['2026-11-24T04:00:00Z'], count: 1, itself: false };
    lab.stages = {
      ...stages,
      findStored: async () => ({
        ...((await stages.findStored(undefined as never)) as object),
        committed: [committed(pipeline)],
      }),
      markStale: async () => madeStale,
    };
    expect(await run(pipeline, 'index')).toMatchObject({ madeStale });
    // Nobody waits for a turn who does not commit.
    expect(record.calls).toEqual(['findStored', 'prepare', 'indexBatch', 'reconcile', 'writeReport']);
  });
});
