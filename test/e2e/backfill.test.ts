import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { BackfillProgress, BackfillReport } from '../../src/workflows/backfill-messages.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow, queryHour, search } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';
import { program } from '../helpers/temporal.ts';

const execute = promisify(execFile);
const HOUR = 3_600_000;

/** Three times what runs at once. A week of them, 168, shows no more and takes minutes. */
const HOURS = Number(process.env['BACKFILL_HOURS'] ?? 36);

describe.skipIf(noStack)('backfills', () => {
  let app: TestApp;
  // Three days ago, from midnight on.
  const first = Date.parse(`${new Date(Date.now() - 3 * 24 * HOUR).toISOString().slice(0, 10)}T00:00:00Z`);
  const hourAt = (n: number): string => toLogicalHour(first + n * HOUR);

  beforeAll(async () => {
    app = await TestApp.start();
  });

  afterAll(async () => {
    await app?.stop();
  });

  const address = (name: string, hour: string): string => `/${name}-${hour.slice(0, 13).replace('T', '-')}.csv`;
  /** A definition whose source names the hour, with a small file for each of these. */
  function defined(hours: readonly string[], more: Partial<PipelineInput> = {}) {
    const name = `e-${randomBytes(4).toString('hex')}`;
    const defined = app.define({ name, source: { url: `${app.source}/${name}-\${hour:YYYY-MM-DD-HH}.csv` }, ...more });
    for (const hour of hours) serve(name, hour);
    return defined;
  }
  /** Four rows, one of them twice; the ids are the hour's own. */
  function serve(name: string, hour: string): void {
    const rows = [1, 2, 3, 3].map((n) => `${hour.slice(0, 13)}-${n},k${n % 2},${n}.5`);
    app.files.set(address(name, hour), { body: ['id,kind,amount', ...rows, ''].join('\n') });
  }
  const json = async (...args: string[]) => {
    const { code, out, err } = await app.cli([...args, '--json']);
    return { code, err, found: JSON.parse(out) as Record<string, unknown> };
  };
  const documents = async (name: string): Promise<Record<string, number>> => {
    await search(app.environment, `sluice-${name}/_refresh`, {});
    const answer = await search(app.environment, `sluice-${name}/_search`, {
      ...{ size: 0, track_total_hits: true },
      aggs: { hours: { terms: { field: 'hour', size: 1_000 } } },
    });
    const { aggregations } = answer as {
      aggregations: { hours: { buckets: { key_as_string: string; doc_count: number }[] } };
    };
    return Object.fromEntries(
      aggregations.hours.buckets.map(({ key_as_string: hour, doc_count }) => [toLogicalHour(hour), doc_count]),
    );
  };
  const recordsOf = async (name: string): Promise<string[]> =>
    (await keysBelow(app.environment, keys.hoursAll(name))).map((key) => key.slice(keys.hoursAll(name).length));
  const reportOf = (name: string, hour: string): Promise<RunReport> =>
    app.client.runs.report(name, hour) as Promise<RunReport>;

  it('show how hours stand, run those that are not done, and only the failed ones where these are asked for', async () => {
    const hours = [0, 1, 2, 3, 4].map(hourAt);
    const { input, pipeline } = defined(hours);
    const file = await app.definitionFile(input);
    await app.client.runs.wait((await app.client.runs.launch({ pipeline, hour: hourAt(1) })).workflowId);
    app.files.delete(address(input.name, hourAt(3)));
    const range = ['--from', hourAt(0), '--to', hourAt(4)];

    const preview = await json('backfill', file, ...range, '--dry-run');
    expect([preview.code, preview.found]).toMatchObject([4, { plan: { found: { missing: 4, present: 1 } } }]);
    const shown = await app.cli(['backfill', file, ...range, '--dry-run']);
    expect(shown.out).toMatch(/missing {2}.*T02 to .*T04, 3 hours\n/);
    expect(shown.out).toContain('Would run 4 hours, 4 at a time, the oldest first');

    const run = await json('backfill', file, ...range, '--parallel', '2');
    expect([run.code, run.found]).toMatchObject([1, { outcome: 'failed', hours: 4, done: 3, failed: 1, rows: 9 }]);
    expect(run.err).toMatch(/✗ .*T03 {2}SourceNotFound: /);

    const after = (await json('backfill', file, ...range, '--dry-run', '--only', 'failed'))
      .found as unknown as BackfillReport;
    expect(after.plan).toMatchObject({ hours: [hourAt(3).slice(0, 13)], found: { failed: 1, present: 4 } });
    expect(after.plan?.failed).toMatchObject([
      { hour: hourAt(3), why: expect.stringContaining('SourceNotFound in import') as unknown },
    ]);

    serve(input.name, hourAt(3));
    const again = await app.cli(['backfill', file, ...range, '--only', 'failed']);
    expect(`${again.code} ${again.err}`).toMatch(/^0 .*completed: 1 hour, 1 done/s);
    expect(await documents(input.name)).toEqual(Object.fromEntries(hours.map((hour) => [hour, 3])));
    const nothing = await json('backfill', file, ...range, '--dry-run');
    expect([nothing.code, nothing.found]).toMatchObject([0, { plan: { hours: [], found: { present: 5 } } }]);

    const listed = (await json('backfill', 'list', file)).found['backfills'];
    expect(listed).toMatchObject([
      { pipeline: input.name, status: 'completed', outcome: 'completed' },
      { pipeline: input.name, status: 'completed', outcome: 'failed' },
    ]);
    const over = await json('backfill', 'pause', ids.backfill(input.name, hourAt(0), hourAt(4)));
    expect([over.code, over.found]).toMatchObject([1, { error: { code: 'NotRunning' } }]);
  });

  it('refuse hours that cannot be had any more, before they start one', async () => {
    const { input } = app.define();
    app.serve(input, { body: 'id,kind,amount\n1,a,1\n' });
    const file = await app.definitionFile(input);
    const range = ['--from', hourAt(0), '--to', hourAt(1)];
    const refused = await json('backfill', file, ...range);
    expect([refused.code, refused.found]).toMatchObject([1, { error: { code: 'ImportNotRecorded' } }]);
    const run = await json('backfill', file, ...range, '--use-current');
    expect([run.code, run.found]).toMatchObject([0, { done: 2, rows: 2 }]);
  });

  it('are paused, resumed and cancelled from the command line, and left by --detach', async () => {
    const hours = [0, 1, 2, 3].map(hourAt);
    const { input } = defined(hours);
    const gates = new Map(hours.map((hour) => [hour, Promise.withResolvers<void>()]));
    for (const hour of hours) {
      const served = app.files.get(address(input.name, hour));
      app.files.set(address(input.name, hour), {
        body: '',
        handler: (_request, response) => void gates.get(hour)?.promise.then(() => response.end(served?.body)),
      });
    }
    const file = await app.definitionFile(input);
    const range = ['--from', hourAt(0), '--to', hourAt(3), '--parallel', '1'];
    const left = await json('backfill', file, ...range, '--detach');
    const workflowId = ids.backfill(input.name, hourAt(0), hourAt(3));
    expect([left.code, left.found]).toEqual([0, { workflowId, running: false }]);
    const until = async (fits: (progress: BackfillProgress) => boolean): Promise<void> => {
      for (;;) {
        const progress = await app.client.backfills.progress(workflowId);
        if (progress && fits(progress)) return;
        await wait(100);
      }
    };
    await until(({ running }) => running.length === 1);
    expect((await json('backfill', 'pause', file)).found).toMatchObject({ workflowId, mode: 'paused', left: 4 });
    gates.get(hourAt(0))?.resolve();
    await until(({ done }) => done === 1);
    expect((await json('backfill', 'status')).found).toMatchObject({ mode: 'paused', running: [], done: 1 });
    expect((await json('backfill', 'resume', workflowId)).found).toMatchObject({ mode: 'running' });
    await until(({ running }) => running[0] === hourAt(1));
    expect((await json('backfill', 'cancel', '--runs')).found).toMatchObject({ mode: 'cancelling' });
    expect(await app.client.backfills.wait(workflowId)).toMatchObject({
      outcome: 'cancelled',
      done: 1,
      cancelled: 1,
      left: 2,
    });
    expect((await app.client.runs.find(input.name, hourAt(1)))?.status).toBe('cancelled');
  });

  it('and plain `temporal schedule backfill` come to the same', async () => {
    const hours = [0, 1, 2].map(hourAt);
    const ours = defined(hours, { schedule: { paused: true } });
    const theirs = defined(hours, { schedule: { paused: true } });
    const asTemporal = async (name: string): Promise<void> => {
      const range = ['--start-time', hourAt(0), '--end-time', `${hourAt(2).slice(0, 13)}:59:59Z`];
      const args = ['schedule', 'backfill', '--schedule-id', name, ...range, '--overlap-policy', 'AllowAll'];
      const { TEMPORAL_ADDRESS: at = '' } = app.environment;
      await execute(program ?? '', [...args, '--address', at], { env: app.environment as NodeJS.ProcessEnv });
    };
    for (const { pipeline } of [ours, theirs]) await app.client.schedules.apply(pipeline);
    try {
      await asTemporal(theirs.input.name);
      const { workflowId } = await app.client.backfills.start({
        pipeline: ours.pipeline,
        from: hourAt(0),
        to: hourAt(2),
      });
      expect(await app.client.backfills.wait(workflowId)).toMatchObject({ outcome: 'completed', done: 3 });
      for (const hour of hours) {
        while (!(await app.client.runs.find(theirs.input.name, hour))) await wait(100);
        await app.client.runs.result(ids.pipeline(theirs.input.name, hour));
        const [mine, other] = await Promise.all([ours, theirs].map(({ input }) => reportOf(input.name, hour)));
        expect(mine?.equations).toEqual(other?.equations);
        expect(mine?.equations).toMatchObject([{ holds: true, rows: { read: 4, duplicates: 1, indexed: 3 } }]);
        const sql = 'SELECT id, kind, amount FROM t ORDER BY id';
        const rows = await Promise.all(
          [ours, theirs].map(({ input }) => queryHour(app.environment, input.name, hour, sql)),
        );
        expect(rows[0]).toEqual(rows[1]);
        expect(rows[0]).toHaveLength(3);
      }
      // Each by the other door: all is done already, so nothing runs a second time.
      await asTemporal(ours.input.name);
      const again = await app.client.backfills.start({ pipeline: theirs.pipeline, from: hourAt(0), to: hourAt(2) });
      expect(await app.client.backfills.wait(again.workflowId)).toMatchObject({ hours: 0, found: { present: 3 } });
      for (const { input } of [ours, theirs]) {
        expect(await recordsOf(input.name)).toEqual(hours.map((hour) => `${hour.slice(0, 13)}/000001.json`));
        for (const hour of hours) expect(await app.client.runs.attempts(input.name, hour)).toHaveLength(1);
      }
    } finally {
      for (const { input } of [ours, theirs]) await app.client.schedules.delete(input.name);
    }
  });

  it('run many hours though the worker is killed in the middle: each is complete, and none is there twice', async () => {
    const hours = Array.from({ length: HOURS }, (_, n) => toLogicalHour(first - (HOURS - n) * HOUR));
    const [from = '', to = ''] = [hours[0], hours.at(-1)];
    const { input, pipeline } = defined(hours, { engine: 'duckdb' });
    const { workflowId } = await app.client.backfills.start({ pipeline, from, to, parallel: 12 });
    const inTheMiddle = async (): Promise<BackfillProgress> => {
      for (;;) {
        const progress = await app.client.backfills.progress(workflowId);
        if (progress && progress.done >= HOURS / 3) return progress;
        await wait(200);
      }
    };
    const killedAt = await inTheMiddle();
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    expect(killedAt.running.length).toBeGreaterThan(0);
    expect(killedAt.done).toBeLessThan(HOURS);
    await app.restartWorker();
    const report = await app.client.backfills.wait(workflowId);
    expect(report).toMatchObject({
      outcome: 'completed',
      hours: HOURS,
      done: HOURS,
      failed: 0,
      left: 0,
      rows: HOURS * 3,
    });

    // One hour record each, all of the first generation; three documents each; one report each, whose equation holds.
    expect(await recordsOf(input.name)).toEqual(hours.map((hour) => `${hour.slice(0, 13)}/000001.json`));
    expect(await documents(input.name)).toEqual(Object.fromEntries(hours.map((hour) => [hour, 3])));
    const { workflow } = app.client.temporal;
    const reports: RunReport[] = [];
    for (const hour of hours) {
      const found = await workflow.getHandle<() => Promise<RunReport>>(ids.pipeline(input.name, hour)).result();
      expect(found).toMatchObject({
        outcome: 'completed',
        equations: [{ holds: true, rows: { read: 4, indexed: 3 } }],
      });
      reports.push(found);
    }
    const after = await app.client.backfills.preview({ pipeline, from, to });
    expect(after.plan).toMatchObject({ hours: [], found: { present: HOURS, missing: 0, failed: 0 } });
    const stages = new Map<string, number>();
    for (const { stage, ms } of reports.flatMap((one) => one.stages)) stages.set(stage, (stages.get(stage) ?? 0) + ms);
    const spent = [...stages].map(([stage, ms]) => `${stage} ${(ms / 1000 / HOURS).toFixed(2)} s`).join(', ');
    const took = Date.parse(report.endedAt) - Date.parse(report.startedAt);
    console.log(
      `${HOURS} hours in ${(took / 1000).toFixed(0)} s, ${(took / 1000 / HOURS).toFixed(2)} s each; in a run: ${spent}`,
    );
  }, 900_000);
});
