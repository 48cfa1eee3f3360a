import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { msNumberToTs, tsToDate } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Schedules } from '../../src/client/schedules/schedules.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';
import { runSluice } from '../helpers/cli.ts';
import { definition, goodStages } from '../helpers/fake-stages.ts';
import { noTemporal, program, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('what schedules start', () => {
  let lab: WorkflowLab;
  let schedules: Schedules;
  let folder: string;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
    schedules = new Schedules(lab.temporal.client);
    folder = await mkdtemp(join(tmpdir(), 'sluice-schedules-'));
  });

  afterAll(async () => {
    await lab?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const handleOf = ({ name }: Pipeline) => lab.temporal.client.schedule.getHandle(ids.schedule(name));
  const runOf = ({ name }: Pipeline, hour: string) => lab.temporal.client.workflow.getHandle(ids.pipeline(name, hour));
  const statusOf = (pipeline: Pipeline, hour: string): Promise<string> =>
    runOf(pipeline, hour)
      .describe()
      .then(
        ({ status }) => status.name,
        () => 'none',
      );
  /** Waits until something is so. */
  const until = async <T>(look: () => Promise<T>, is: (found: T) => boolean): Promise<T> => {
    for (let tries = 0; tries < 1_200; tries += 1) {
      const found = await look();
      if (is(found)) return found;
      await wait(100);
    }
    throw new Error(`never became so: ${JSON.stringify(await look())}`);
  };
  const ended = (pipeline: Pipeline, hour: string, status = 'COMPLETED') =>
    until(
      () => statusOf(pipeline, hour),
      (found) => found === status,
    );
  /** As if these hours were now, under the schedule's own policy. */
  const pass = (pipeline: Pipeline, from: string, to = from): Promise<void> =>
    handleOf(pipeline).backfill({ start: new Date(from), end: new Date(to) });
  /** Stages of which one waits until it is told to go on, or is cancelled. */
  const gated = (pipeline: Pipeline) => {
    const { stages, record } = goodStages(pipeline);
    const gate = Promise.withResolvers<void>();
    const clean = async (): Promise<unknown> => {
      await gate.promise;
      return stages.clean(undefined as never);
    };
    return { stages: { ...stages, clean }, record, open: () => gate.resolve() };
  };
  const applied = async (schedule: PipelineInput['schedule']): Promise<Pipeline> => {
    const pipeline = definition({ schedule: { paused: true, ...schedule } });
    await schedules.apply(pipeline);
    return pipeline;
  };
  const matching = async ({ name }: Pipeline, from: string, to: string): Promise<string[]> => {
    const { startTime } = await lab.temporal.client.workflowService.listScheduleMatchingTimes({
      ...{ namespace: lab.temporal.client.options.namespace, scheduleId: name },
      ...{ startTime: msNumberToTs(Date.parse(from)), endTime: msNumberToTs(Date.parse(to)) },
    });
    return (startTime ?? []).map((at) => tsToDate(at).toISOString().slice(0, 16));
  };

  it('comes at the times of the calendar in its zone, also where its clocks change, and runs the hours of these', async () => {
    const berlin = await applied({ cron: ['30 2 * * *'], timezone: 'Europe/Berlin' });
    // The night that has no 02:30.
    expect(await matching(berlin, '2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual([
      '2026-03-28T01:30',
      '2026-03-30T00:30',
    ]);
    await schedules.delete(berlin.name);
    const pipeline = await applied({ cron: ['30 1 * * *'], timezone: 'America/New_York' });
    lab.stages = goodStages(pipeline).stages;
    // The night that has 01:30 twice: two hours.
    const range = ['2025-11-02T00:00:00Z', '2025-11-02T12:00:00Z'] as const;
    expect(await matching(pipeline, ...range)).toEqual(['2025-11-02T05:30', '2025-11-02T06:30']);
    await pass(pipeline, ...range);
    await ended(pipeline, '2025-11-02T05:00:00Z');
    await ended(pipeline, '2025-11-02T06:00:00Z');
    const { recent, next } = await schedules.describe(pipeline.name);
    expect(recent).toHaveLength(2);
    expect(recent.every(({ outcome }) => outcome === 'completed')).toBe(true);
    expect(next).toHaveLength(5);
    await schedules.delete(pipeline.name);
  });

  it('would miss an hour of an hourly calendar when clocks go back, which is why a definition with one is refused', async () => {
    const pipeline = await applied({});
    await handleOf(pipeline).update((now) => ({
      ...now,
      spec: { cronExpressions: ['0 * * * *'], timezone: 'Europe/London' },
    }));
    expect(await matching(pipeline, '2025-10-25T23:30:00Z', '2025-10-26T03:30:00Z')).toEqual([
      ...['2025-10-26T00:00', '2025-10-26T02:00', '2025-10-26T03:00'],
    ]);
    await schedules.delete(pipeline.name);
  });

  it('leaves out what is to be skipped, and is late by the jitter without another hour', async () => {
    const pipeline = await applied({ skip: [{ dayOfWeek: 'SUN', hour: '1-23' }], jitter: '20m' });
    lab.stages = goodStages(pipeline).stages;
    const hours = (day: string): Promise<string[]> => matching(pipeline, `${day}T02:30:00Z`, `${day}T23:59:59Z`);
    expect(await hours('2026-03-07')).toHaveLength(21);
    expect(await hours('2026-03-08')).toHaveLength(0);
    const { next } = await schedules.describe(pipeline.name);
    const late = next.map((at) => Date.parse(at) % 3_600_000);
    expect(late.every((ms) => ms < 20 * 60_000)).toBe(true);
    expect(late.some((ms) => ms > 0)).toBe(true);
    // A backfill's end is compared with the late time.
    await pass(pipeline, '2026-03-07T22:00:00Z', '2026-03-07T23:59:59Z');
    await ended(pipeline, '2026-03-07T22:00:00Z');
    await ended(pipeline, '2026-03-07T23:00:00Z');
    await schedules.delete(pipeline.name);
  });

  it('is one run, however often an hour is triggered, and whoever does it', async () => {
    const pipeline = await applied({});
    const { stages, record, open } = gated(pipeline);
    lab.stages = stages;
    const first = await schedules.trigger(pipeline.name);
    const second = await schedules.trigger(pipeline.name);
    const runs = new Set([first, second].map(({ hour }) => hour ?? ''));
    for (const hour of runs) await ended(pipeline, hour, 'RUNNING');
    open();
    for (const hour of runs) await ended(pipeline, hour);
    // The hour may have ended between the two.
    expect(record.calls.filter((call) => call === 'publish')).toHaveLength(runs.size);
    const past = await schedules.trigger(pipeline.name, { hour: '2026-03-01T05:30:00Z' });
    expect(past).toMatchObject({
      hour: '2026-03-01T05:00:00Z',
      workflowId: ids.pipeline(pipeline.name, '2026-03-01T05:00:00Z'),
    });
    await ended(pipeline, '2026-03-01T05:00:00Z');
    await expect(schedules.trigger(pipeline.name, { hour: '2999-01-01T00:00:00Z' })).rejects.toMatchObject({
      code: 'DefinitionInvalid',
    });
    expect(await schedules.describe(pipeline.name)).toMatchObject({ paused: true });
    await schedules.delete(pipeline.name);
  });

  it('is not followed under allowAll, which is why pauseOnFailure needs another overlap', async () => {
    const pipeline = await applied({});
    const { stages, open } = gated(pipeline);
    lab.stages = stages;
    await pass(pipeline, '2026-03-01T05:00:00Z');
    await ended(pipeline, '2026-03-01T05:00:00Z', 'RUNNING');
    expect(await schedules.describe(pipeline.name)).toMatchObject({ running: [], recent: [{ outcome: 'running' }] });
    open();
    await ended(pipeline, '2026-03-01T05:00:00Z');
    await schedules.delete(pipeline.name);
  });

  it('pauses the schedule when it fails, where that is asked for', async () => {
    const pipeline = await applied({ overlap: 'bufferAll', pauseOnFailure: true, paused: false });
    lab.stages = {
      ...goodStages(pipeline).stages,
      importSource: () => Promise.reject(new SluiceError('SourceNotFound', 'the source is not there')),
    };
    await pass(pipeline, '2026-03-01T05:00:00Z');
    const { note } = await until(
      () => schedules.describe(pipeline.name),
      ({ paused }) => paused,
    );
    expect(note).toMatch(/^paused due to workflow failure: launch\/.*the source is not there$/s);
    // Applying the definition once more does not resume it.
    await schedules.apply({ ...pipeline, description: 'changed' });
    expect(await schedules.describe(pipeline.name)).toMatchObject({
      ...{ paused: true, note, recent: [{ hour: '2026-03-01T05:00:00Z', outcome: 'failed' }] },
    });
    await schedules.delete(pipeline.name);
  });

  it('is skipped while another runs, under skip', async () => {
    const pipeline = await applied({ overlap: 'skip' });
    const { stages, open } = gated(pipeline);
    lab.stages = stages;
    await pass(pipeline, '2026-03-01T05:00:00Z', '2026-03-01T07:00:00Z');
    const view = await until(
      () => schedules.describe(pipeline.name),
      ({ counts }) => counts.skipped === 2,
    );
    expect(view).toMatchObject({ running: [expect.stringContaining('05:00:00Z')], waiting: 0, counts: { started: 1 } });
    open();
    await ended(pipeline, '2026-03-01T05:00:00Z');
    expect(await statusOf(pipeline, '2026-03-01T06:00:00Z')).toBe('none');
    await schedules.delete(pipeline.name);
  });

  it('waits for its turn under bufferAll, and keeps its own hour', async () => {
    const pipeline = await applied({ overlap: 'bufferAll' });
    const { stages, open } = gated(pipeline);
    lab.stages = stages;
    await pass(pipeline, '2026-03-01T05:00:00Z', '2026-03-01T07:00:00Z');
    await until(
      () => schedules.describe(pipeline.name),
      ({ waiting, running }) => waiting === 2 && running.length === 1,
    );
    expect(await statusOf(pipeline, '2026-03-01T06:00:00Z')).toBe('none');
    open();
    for (const hour of [5, 6, 7]) await ended(pipeline, `2026-03-01T0${hour}:00:00Z`);
    await schedules.delete(pipeline.name);
  });

  it('is cancelled for the next one under cancelOther, its run with it', async () => {
    const pipeline = await applied({ overlap: 'cancelOther' });
    const { stages, record, open } = gated(pipeline);
    lab.stages = stages;
    await pass(pipeline, '2026-03-01T05:00:00Z');
    await ended(pipeline, '2026-03-01T05:00:00Z', 'RUNNING');
    await pass(pipeline, '2026-03-01T06:00:00Z');
    await ended(pipeline, '2026-03-01T05:00:00Z', 'CANCELLED');
    open();
    await ended(pipeline, '2026-03-01T06:00:00Z');
    expect(record.calls.filter((call) => call === 'publish')).toHaveLength(1);
    const view = await until(
      () => schedules.describe(pipeline.name),
      ({ running }) => running.length === 0,
    );
    // A cancelled hour is no failed one.
    expect(view.recent.map(({ outcome }) => outcome)).toEqual(['completed', 'cancelled']);
    await schedules.delete(pipeline.name);
  });

  it('is the same by the temporal command: create, trigger, backfill, toggle, describe, delete', async () => {
    const { name } = definition();
    const written = { name, source: { url: 'https://example.org/a.csv' }, columns: { id: { name: 'id' } } };
    const pipeline = definition(written);
    lab.stages = goodStages(pipeline).stages;
    const input = join(folder, 'input.json');
    await writeFile(input, JSON.stringify({ pipeline: written }));
    const temporal = async (...args: string[]): Promise<string> => {
      const all = ['schedule', ...args, '--address', lab.temporal.address];
      return (await promisify(execFile)(program ?? '', all)).stdout;
    };
    await temporal(
      ...[
        'create',
        '--schedule-id',
        name,
        '--interval',
        '1h',
        '--overlap-policy',
        'AllowAll',
        '--catchup-window',
        '2h',
      ],
      ...[
        '--workflow-id',
        `launch/${name}`,
        '--type',
        'launch',
        '--task-queue',
        taskQueues.light,
        '--input-file',
        input,
      ],
    );
    expect(await schedules.definition(name)).toMatchObject({ name, schedule: { every: '1h' } });
    await temporal('toggle', '--schedule-id', name, '--pause', '--reason', 'by hand');
    expect(await schedules.describe(name)).toMatchObject({ paused: true, note: 'by hand', times: ['every 1h'] });
    await temporal('trigger', '--schedule-id', name, '--overlap-policy', 'AllowAll');
    const triggered = await until(
      () => schedules.describe(name),
      ({ recent }) => recent.length === 1,
    );
    await ended(pipeline, triggered.recent[0]?.hour ?? '');
    const range = ['--start-time', '2026-03-01T04:30:00Z', '--end-time', '2026-03-01T06:00:00Z'];
    await temporal('backfill', '--schedule-id', name, ...range, '--overlap-policy', 'AllowAll');
    await ended(pipeline, '2026-03-01T05:00:00Z');
    await ended(pipeline, '2026-03-01T06:00:00Z');
    // What it was made with by hand means the same as the definition, all its defaults included, but for what a schedule says of itself.
    const { schedules: plans } = await schedules.plan(await schedules.definition(name));
    expect(plans[0]?.differences.map(({ path }) => path)).toEqual(['summary']);
    expect(await temporal('describe', '--schedule-id', name)).toContain('by hand');
    await until(schedules.list.bind(schedules), (all) => all.some(({ scheduleId }) => scheduleId === name));
    await temporal('delete', '--schedule-id', name);
    await expect(schedules.describe(name)).rejects.toMatchObject({ code: 'ScheduleUnknown' });
  });

  it('is the same by sluice schedule, which shows a change before it makes it', async () => {
    const { name } = definition();
    const written = { name, source: { url: 'https://example.org/a.csv' }, columns: { id: { name: 'id' } } };
    lab.stages = goodStages(definition(written)).stages;
    const file = join(folder, 'definition.yaml');
    const define = (schedule: PipelineInput['schedule']): Promise<void> =>
      writeFile(file, JSON.stringify({ ...written, schedule }));
    const environment = { PATH: process.env['PATH'], NO_COLOR: '1', TEMPORAL_ADDRESS: lab.temporal.address };
    const sluice = (...args: string[]) => runSluice(['schedule', ...args], environment);
    const answer = async (...args: string[]): Promise<unknown> => JSON.parse((await sluice(...args, '--json')).out);
    await define({});
    const planned = await sluice('apply', file, '--dry-run');
    expect(planned.code).toBe(4);
    expect(planned.out).toContain(
      `${name} would be created\n  times: ["every 1h"]\n  overlap: allowAll\n  catchUp: 2h\n`,
    );
    expect(await sluice('describe', name)).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no schedule') as unknown,
    });
    expect(await answer('apply', file)).toMatchObject({ outcome: 'created' });
    expect((await sluice('apply', file, '--dry-run')).code).toBe(0);
    await define({ every: '2h', overlap: 'skip' });
    const changed = await sluice('apply', file);
    expect(changed.code).toBe(0);
    expect(changed.out).toContain(
      `${name} updated\n  times: ["every 1h"] → ["every 2h"]\n  overlap: allowAll → skip\n`,
    );
    expect(await answer('pause', name, '--note', 'for a while')).toEqual({
      ...{ scheduleId: name, paused: true, note: 'for a while' },
    });
    const triggered = await answer('trigger', name, '--hour', '2026-03-01T05');
    expect(triggered).toMatchObject({ hour: '2026-03-01T05:00:00Z', launch: `launch/${name}-2026-03-01T05:00:00Z` });
    await ended(definition(written), '2026-03-01T05:00:00Z');
    expect(await answer('describe', name)).toMatchObject({ times: ['every 2h'], recent: [{ outcome: 'completed' }] });
    expect((await sluice('describe', name)).out).toMatch(/paused: for a while.*completed +2026-03-01T05:00:00Z\n$/s);
    await until(
      async () => (await sluice('list')).out,
      (out) => new RegExp(`^${name} +paused .* every 2h +for a while$`, 'm').test(out),
    );
    expect(await answer('resume', name)).toMatchObject({ paused: false });
    expect(await answer('delete', name)).toEqual({ deleted: [name, `maintenance/${name}`] });
    expect((await sluice('delete', file)).code).toBe(1);
    await define({ overlap: 'bufferOn' as never });
    expect(await sluice('apply', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('Did you mean "bufferOne"?') as unknown,
    });
  });
});
