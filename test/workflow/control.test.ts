import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runs } from '../../src/client/runs.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { DiscardInput } from '../../src/stages/io.ts';
import type { ReportSoFar, RunProgress, RunReport } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { Gate, untilStopped } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab, type FakeActivities } from '../helpers/temporal.ts';

type Run = WorkflowHandle<() => Promise<RunReport>>;

/** Every stage of a run, with the activity that does it. */
const stages = [
  ['prepare', 'prepare'],
  ['import', 'importSource'],
  ['turn', 'findRunsAhead'],
  ['clean', 'clean'],
  ['save', 'saveLocalCopy'],
  ['publish', 'publish'],
  ['land', 'findLanded'],
  ['commit', 'commitHour'],
  ['index', 'indexBatch'],
  ['reconcile', 'reconcile'],
] as const;

const kinds = [{ name: 'kinds', groupBy: ['id'], measures: { n: { count: '*' } } }] as const;

describe.skipIf(noTemporal)('a run that is steered', () => {
  let lab: WorkflowLab;
  let runs: Runs;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    runs = new Runs(lab.temporal.client, () => {
      throw new Error('no object store in here');
    });
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const start = (pipeline: Pipeline): Promise<Run> =>
    lab.temporal.client.workflow.start('pipeline', {
      workflowId: ids.pipeline(pipeline.name, hour),
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, force: false, refetch: false, useCurrent: false }],
    });
  /** One that goes through every stage there is. */
  const whole = () =>
    definition({
      save: { localCopy: true },
      columns: { id: { name: 'id', required: true } },
      key: ['id'],
      duplicates: { acrossRuns: true },
    });
  const progress = (run: Run) => run.query<RunProgress>('progress');
  const isIn = async (run: Run, stage: string): Promise<void> => {
    await expect.poll(async () => (await progress(run)).current, { timeout: 60_000 }).toBe(stage);
  };
  const isPaused = async (run: Run): Promise<void> => {
    await expect.poll(async () => (await progress(run)).mode, { timeout: 60_000 }).toBe('paused');
  };
  const endOf = async (run: Run): Promise<unknown> =>
    run.result().catch((error: unknown) => (error instanceof WorkflowFailedError ? error.cause : error));
  const refusal = (asked: Promise<unknown>) =>
    asked.then(
      () => undefined,
      (error: unknown) => (error instanceof WorkflowUpdateFailedError ? error.cause : error),
    );

  /** Starts a run whose stage `held` waits at a gate. */
  async function heldAt(
    held: keyof FakeActivities,
    pipeline: Pipeline = definition(),
    others: () => FakeActivities = () => ({}),
    ears: { readonly deaf?: boolean } = {},
  ) {
    const { stages: good, record } = goodStages(pipeline);
    const gate = new Gate();
    lab.stages = {
      ...good,
      ...others(),
      [held]: async (input: never) => {
        await gate.pass(ears);
        return good[held](input);
      },
    };
    const run = await start(pipeline);
    await gate.reached;
    return { run, gate, record, pipeline };
  }

  it('is paused between two stages, and goes on', async () => {
    const { run, gate, record } = await heldAt('clean');
    expect(await run.executeUpdate('pause')).toMatchObject({ mode: 'pausing', current: 'clean' });
    gate.open();
    await isPaused(run);
    const paused = await progress(run);
    expect(paused.current).toBeUndefined();
    expect(paused.stages.at(-1)?.stage).toBe('clean');
    expect(record.calls).not.toContain('publish');
    expect(await run.executeUpdate('resume')).toMatchObject({ mode: 'running' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(record.calls.filter((call) => call === 'clean')).toHaveLength(1);
    expect((await progress(run)).mode).toBeUndefined();
  });

  it('takes a pause back that has not taken hold yet', async () => {
    const { run, gate } = await heldAt('clean');
    await run.executeUpdate('pause');
    expect(await run.executeUpdate('resume')).toMatchObject({ mode: 'running', current: 'clean' });
    gate.open();
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  it('may be told the same twice: the first answer may have been lost', async () => {
    const { run, gate } = await heldAt('clean');
    expect(await run.executeUpdate('resume')).toMatchObject({ mode: 'running' });
    await run.executeUpdate('pause');
    expect(await run.executeUpdate('pause')).toMatchObject({ mode: 'pausing' });
    gate.open();
    await isPaused(run);
    expect(await run.executeUpdate('pause')).toMatchObject({ mode: 'paused' });
    expect(await run.executeUpdate('cancel')).toMatchObject({ mode: 'cancelling' });
    await endOf(run);
  });

  it('holds between any two stages, and in front of the last one', async () => {
    const pipeline = whole();
    const { stages: good, record } = goodStages(pipeline);
    const handle = lab.temporal.client.workflow.getHandle(ids.pipeline(pipeline.name, hour));
    const pausing = stages.map(([, name]) => [
      name,
      async () => {
        await handle.executeUpdate('pause');
        return good[name](undefined as never);
      },
    ]);
    lab.stages = { ...good, ...(Object.fromEntries(pausing) as FakeActivities) };
    const run = await start(pipeline);
    const heldAfter: (string | undefined)[] = [];
    for (const [stage] of stages) {
      await expect.poll(async () => (await progress(run)).stages.at(-1)?.stage, { timeout: 60_000 }).toBe(stage);
      await isPaused(run);
      heldAfter.push((await progress(run)).stages.at(-1)?.stage);
      expect(record.reports).toEqual([]);
      await run.executeUpdate('resume');
    }
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(heldAfter).toEqual(stages.map(([stage]) => stage));
    expect(record.calls.filter((call) => call === 'commitHour')).toHaveLength(1);
  });

  it('holds after what it waits for, where it waits', async () => {
    const pipeline = definition();
    let landed = false;
    const { stages: good, record } = goodStages(pipeline);
    lab.stages = {
      ...good,
      findLanded: async () => (landed ? good.findLanded(undefined as never) : undefined),
      consumerState: async () => ({ mode: 'paused', stream: pipeline.name, topic: 't', epoch: 'e1', life: 1 }),
      consume: untilStopped,
    };
    const run = await start(pipeline);
    await expect.poll(async () => (await progress(run)).waiting, { timeout: 60_000 }).toMatch(/is paused/);
    expect(await run.executeUpdate('pause')).toMatchObject({ mode: 'pausing', current: 'land' });
    landed = true;
    await run.signal('landed', { batch: 'b1' });
    await isPaused(run);
    expect((await progress(run)).waiting).toBeUndefined();
    expect(record.calls).not.toContain('commitHour');
    await run.executeUpdate('resume');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    await lab.temporal.client.workflow.getHandle(ids.consumer(pipeline.name, 0)).executeUpdate('drain');
  });

  it('does by signals what it does by updates', async () => {
    const { run, gate, record } = await heldAt('clean');
    await run.signal('pause');
    gate.open();
    await isPaused(run);
    await run.signal('resume');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(record.calls.filter((call) => call === 'clean')).toHaveLength(1);

    const other = await heldAt('publish');
    await other.run.signal('cancel');
    expect(await endOf(other.run)).toBeInstanceOf(CancelledFailure);
    expect((await other.run.describe()).status.name).toBe('CANCELLED');
  });

  it('says what a word does, for the Web UI', async () => {
    const { run, gate } = await heldAt('clean');
    const metadata = await run.query<{
      definition: Record<'updateDefinitions' | 'signalDefinitions' | 'queryDefinitions', Described[]>;
      currentDetails: string;
    }>('__temporal_workflow_metadata');
    const { updateDefinitions, signalDefinitions, queryDefinitions } = metadata.definition;
    const named = (all: Described[]) => all.filter(({ description }) => description).map(({ name }) => name);
    expect(named(updateDefinitions)).toEqual(expect.arrayContaining(['pause', 'resume', 'cancel']));
    expect(named(signalDefinitions)).toEqual(expect.arrayContaining(['pause', 'resume', 'cancel', 'landed']));
    expect(named(queryDefinitions)).toEqual(expect.arrayContaining(['progress', 'report', 'lastError']));
    expect(metadata.currentDetails).toMatch(/\| clean \| running \|/);
    gate.open();
    await run.result();
  });

  describe('refuses, in a sentence with a code,', () => {
    it('to be paused or resumed while it is cancelled', async () => {
      const { run, gate, pipeline } = await heldAt('clean', definition(), () => ({}), { deaf: true });
      await run.executeUpdate('cancel');
      for (const word of ['pause', 'resume']) {
        expect(await refusal(run.executeUpdate(word))).toMatchObject({
          ...{ type: 'ControlRefused', message: `The run of ${pipeline.name} ${hour} is being cancelled.` },
        });
        await run.signal(word);
      }
      expect(await progress(run)).toMatchObject({ mode: 'cancelling', current: 'clean' });
      gate.open();
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
    });

    it('to be paused or cancelled at its last stage', async () => {
      const { run, gate, pipeline } = await heldAt('writeReport');
      await isIn(run, 'report');
      const sentence = `The run of ${pipeline.name} ${hour} is at its last stage: there is nothing left to`;
      expect(await refusal(run.executeUpdate('pause'))).toMatchObject({
        ...{ type: 'ControlRefused', message: `${sentence} pause.` },
      });
      expect(await refusal(run.executeUpdate('cancel'))).toMatchObject({ message: `${sentence} cancel.` });
      expect(await run.executeUpdate('resume')).toMatchObject({ mode: 'running', current: 'report' });
      await expect(runs.pause(run.workflowId)).rejects.toMatchObject({ code: 'ControlRefused' });
      // Late signals are no reason to fail.
      for (const word of ['pause', 'cancel', 'resume']) await run.signal(word);
      gate.open();
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      await expect(runs.cancel(run.workflowId)).rejects.toMatchObject({ code: 'NotRunning' });
      await expect(runs.resume('pipeline/none/2026-11-24T03:00:00Z')).rejects.toMatchObject({ code: 'NotRunning' });
    });

    it('anything once it has failed', async () => {
      const { run, gate, pipeline } = await heldAt('tellOf', definition(), () => ({
        importSource: async () => {
          throw new SluiceError('SourceNotFound', 'not there');
        },
      }));
      for (const word of ['pause', 'resume', 'cancel']) {
        expect(await refusal(run.executeUpdate(word))).toMatchObject({
          ...{ type: 'ControlRefused', message: `The run of ${pipeline.name} ${hour} is over but for its report.` },
        });
      }
      gate.open();
      expect(await endOf(run)).toMatchObject({ type: 'SourceNotFound' });
    });
  });

  describe('is cancelled', () => {
    it.each(stages)('in stage %s, by its update', async (stage, activity) => {
      const { run, record } = await heldAt(activity, whole());
      await isIn(run, stage);
      expect(await run.executeUpdate('cancel')).toMatchObject({ mode: 'cancelling' });
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect((await run.describe()).status.name).toBe('CANCELLED');
      expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { code: 'Cancelled', stage } }]);
      // What is no failure is no reason for a mail, and nothing of what follows has begun.
      expect(record.calls).not.toContain('tellOf');
      const after = stages.slice(stages.findIndex(([name]) => name === stage) + 1).map(([, name]) => name);
      expect(record.calls.filter((call) => (after as readonly string[]).includes(call))).toEqual([]);
      expect((await progress(run)).mode).toBeUndefined();
    });

    it.each(stages)('in stage %s, by Temporal', async (stage, activity) => {
      const { run, record } = await heldAt(activity, whole());
      await isIn(run, stage);
      await run.cancel();
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect((await run.describe()).status.name).toBe('CANCELLED');
      expect(record.reports).toMatchObject([{ outcome: 'cancelled', error: { code: 'Cancelled', stage } }]);
      expect(record.calls).not.toContain('cancelRun');
    });

    it('too late while its report is written: the hour is done', async () => {
      const { run, gate, record } = await heldAt('writeReport');
      await run.cancel();
      gate.open();
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      expect((await run.describe()).status.name).toBe('COMPLETED');
      expect(record.reports.map(({ outcome }) => outcome)).toEqual(['completed']);
    });

    it('while it is paused', async () => {
      const { run, gate, record } = await heldAt('clean');
      await run.executeUpdate('pause');
      gate.open();
      await isPaused(run);
      expect(await runs.cancel(run.workflowId)).toMatchObject({ mode: 'cancelling' });
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect(record.reports).toMatchObject([{ outcome: 'cancelled', stages: [{}, {}, { stage: 'clean' }] }]);
      expect(record.calls).not.toContain('publish');
    });

    it('also where the stage answers with a failure', async () => {
      const pipeline = definition();
      const { stages: good, record } = goodStages(pipeline);
      const gate = new Gate();
      lab.stages = {
        ...good,
        // As one whose worker is gone: it does not hear of the cancellation.
        clean: async () => {
          await gate.pass({ deaf: true });
          throw new SluiceError('QualityBlocked', 'too few rows');
        },
      };
      const run = await start(pipeline);
      await gate.reached;
      await run.executeUpdate('cancel');
      gate.open();
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect((await run.describe()).status.name).toBe('CANCELLED');
      expect(record.reports).toMatchObject([{ outcome: 'cancelled' }]);
      expect(record.calls).not.toContain('tellOf');
    });

    it('and removes what it had made before it reports', async () => {
      const { run, record, pipeline } = await heldAt('publish', definition({ aggregate: [...kinds] as never }));
      const tally = { what: 'clean.csv of which nothing had been published', objects: 1, bytes: 10, first: ['k'] };
      const asked: DiscardInput[] = [];
      lab.stages.discardPartial = async (input: DiscardInput) => {
        asked.push(input);
        expect(record.calls).not.toContain('writeReport');
        return { tallies: [tally] };
      };
      await run.executeUpdate('cancel');
      await endOf(run);
      const { runId } = await run.describe();
      const made = [{ stream: pipeline.name, batchId: 'b1', sha256: 'ab'.repeat(32) }];
      const streams = [pipeline.name, `${pipeline.name}.kinds`];
      expect(asked).toEqual([{ pipeline: pipeline.name, hour, runId, streams, made, cleaningCut: false }]);
      expect(record.reports).toMatchObject([{ outcome: 'cancelled', discarded: { tallies: [tally] } }]);
      expect((await run.query<ReportSoFar>('report')).discarded).toEqual({ tallies: [tally] });
    });

    it('in the middle of cleaning: what that had stored has no name', async () => {
      const { run } = await heldAt('clean');
      const asked: DiscardInput[] = [];
      lab.stages.discardPartial = async (input: DiscardInput) => {
        asked.push(input);
        return { tallies: [] };
      };
      await run.executeUpdate('cancel');
      await endOf(run);
      expect(asked).toMatchObject([{ made: [], cleaningCut: true }]);
    });

    it('also where it cannot tidy up, which it says', async () => {
      const { run, record } = await heldAt('publish');
      lab.stages.discardPartial = async () => {
        throw new SluiceError('StoreUnavailable', 'the store is away');
      };
      await run.executeUpdate('cancel');
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect((await run.describe()).status.name).toBe('CANCELLED');
      const failed = { code: 'StoreUnavailable', message: 'the store is away' };
      expect(record.reports).toMatchObject([{ outcome: 'cancelled', discarded: { tallies: [], failed } }]);
    });

    it('and ends as cancelled though neither tidying up nor reporting works', async () => {
      const { run, record } = await heldAt('publish');
      const away = async (): Promise<never> => {
        throw new SluiceError('StoreUnavailable', 'the store is away');
      };
      lab.stages = { ...lab.stages, discardPartial: away, writeReport: away };
      await run.cancel();
      expect(await endOf(run)).toBeInstanceOf(CancelledFailure);
      expect((await run.describe()).status.name).toBe('CANCELLED');
      expect(record.reports).toEqual([]);
    });

    it('and tidies nothing up that has only failed', async () => {
      const { run, gate, record } = await heldAt('publish');
      lab.stages.commitHour = async () => {
        throw new SluiceError('HourRemoved', 'it is gone');
      };
      gate.open();
      expect(await endOf(run)).toMatchObject({ type: 'HourRemoved' });
      expect(record.calls).not.toContain('discardPartial');
    });

    it('and says so in the list', async () => {
      const { run, pipeline } = await heldAt('clean');
      await run.executeUpdate('cancel');
      await endOf(run);
      await expect
        .poll(async () => (await runs.list({ pipeline: pipeline.name }))[0], { timeout: 60_000 })
        .toMatchObject({ status: 'cancelled', outcome: 'cancelled' });
    });
  });

  describe('answers', () => {
    it('how many rows each stage took and how long, so that rates can be shown', async () => {
      const { run, gate } = await heldAt('reconcile', whole());
      const { stages: done, mode } = await progress(run);
      expect(mode).toBe('running');
      const rows = Object.fromEntries(done.map((stage) => [stage.stage, stage.rows]));
      expect(rows).toEqual({
        ...{ prepare: undefined, import: 3, turn: undefined, clean: 3, save: undefined, quality: undefined },
        ...{ publish: 3, land: 3, commit: undefined, index: 3 },
      });
      gate.open();
      // The report also says where the time of each went.
      const told = [...done, { stage: 'reconcile' }].map((stage): unknown => expect.objectContaining(stage));
      expect((await run.result()).stages).toEqual(told);
    });

    it('the report as it stands', async () => {
      const { run, gate } = await heldAt('publish');
      const soFar = await run.query<ReportSoFar>('report');
      expect(soFar).toMatchObject({ hour, source: {}, clean: { engine: 'duckdb' }, equations: [] });
      expect(soFar.outcome).toBeUndefined();
      gate.open();
      const report = await run.result();
      expect(await run.query('report')).toEqual(report);
    });

    it('what failed it, and by the client what failed an attempt', async () => {
      const pipeline = definition({ retries: { attempts: 4, initialInterval: '5s', maximumInterval: '5s' } });
      const { stages: good } = goodStages(pipeline);
      let attempts = 0;
      lab.stages = {
        ...good,
        clean: async () => {
          attempts += 1;
          if (attempts === 1) throw new SluiceError('StoreUnavailable', 'the store is away');
          throw new SluiceError('QualityBlocked', 'too few rows');
        },
      };
      const run = await start(pipeline);
      await expect
        .poll(async () => (await runs.progress(run.workflowId))?.lastError, { timeout: 60_000 })
        .toMatchObject({ code: 'StoreUnavailable', message: 'the store is away', stage: 'clean' });
      expect(await run.query('lastError')).toEqual({ lastError: null });
      await endOf(run);
      expect(await run.query('lastError')).toMatchObject({
        lastError: { code: 'QualityBlocked', message: 'too few rows', stage: 'clean' },
      });
    });
  });
});

interface Described {
  readonly name: string;
  readonly description?: string;
}
