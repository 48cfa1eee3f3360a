import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { MaintenanceReport } from '../../src/workflows/maintenance-messages.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow, queryHour } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';

/** Each test goes on where the one before it stopped. */
describe.skipIf(noStack)('maintenance from the command line', () => {
  let app: TestApp;
  let input: PipelineInput;
  let file: string;
  const [early, late] = [3, 2].map((ago) => toLogicalHour(Date.now() - ago * 86_400_000)) as [string, string];
  const rows = 90;

  beforeAll(async () => {
    app = await TestApp.start();
    // Small chunks, so that there are many small objects.
    ({ input } = app.define({ land: { type: 'kind', maxRecords: 10 } }));
    const lines = Array.from({ length: rows }, (_, at) => `r${at},k${at % 2},${at}.5`);
    app.serve({ name: input.name }, { body: ['id,kind,amount', ...lines, ''].join('\n') });
    file = await app.definitionFile(input);
    for (const hour of [early, late]) {
      const { code, err } = await app.cli(['run', file, '--hour', hour, '--use-current', '--force']);
      if (code !== 0) throw new Error(err);
    }
  });

  afterAll(async () => {
    await app?.stop();
  });

  const sluice = async (...args: string[]): Promise<MaintenanceReport> => {
    const { code, out, err } = await app.cli([...args, '--json']);
    expect(`${code} ${err}`).toMatch(/^0 /);
    return JSON.parse(out) as MaintenanceReport;
  };
  const sumOf = async (hour: string): Promise<unknown[]> =>
    queryHour(app.environment, input.name, hour, 'SELECT count(*)::INT AS n, sum(amount)::TEXT AS s FROM t');
  const documents = async (): Promise<number> => {
    const url = app.environment['SLUICE_ELASTICSEARCH_URL'] ?? '';
    await fetch(`${url}/sluice-${input.name}/_refresh`, { method: 'POST' });
    const answer = await fetch(`${url}/sluice-${input.name}/_count`);
    return ((await answer.json()) as { count: number }).count;
  };

  const waitFor = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await wait(200);
    }
  };

  it('compacts past days, and a reader of ours that knows nothing of it sees the same rows', async () => {
    const before = await sumOf(early);
    expect(before).toMatchObject([{ n: rows }]);
    const planned = await sluice('compact', file, '--dry-run');
    expect(planned.compact).toMatchObject([{ stream: input.name, batches: 2, rows: 2 * rows }]);
    const done = await sluice('compact', file);
    expect(done.compact?.[0]?.tallies[0]).toEqual(planned.compact?.[0]?.tallies[0]);
    // Two kinds in two batches.
    expect(done.compact?.[0]?.tallies[1]).toMatchObject({ objects: 4 });
    expect(await sumOf(early)).toEqual(before);
    const again = await app.cli(['run', file, '--hour', early, '--force', '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ holds: true, generations: { main: 1 } });
  });

  it('removes an hour for good', async () => {
    expect(await documents()).toBe(2 * rows);
    const refused = await app.cli(['retain', file]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toMatch(/keeps every hour: set keep\.hours/);
    const planned = await app.cli(['retain', file, '--before', late.slice(0, 10), '--dry-run']);
    expect(planned.out).toContain(
      `would remove 1 hours before ${late.slice(0, 10)}T00:00:00Z, ${rows} rows (${early})`,
    );
    expect(await documents()).toBe(2 * rows);
    const done = await sluice('retain', file, '--before', late.slice(0, 10));
    expect(done.retain).toMatchObject({ hours: 1, first: [early], rows, documents: rows });
    expect(await documents()).toBe(rows);
    const again = await app.cli(['run', file, '--hour', early, '--use-current', '--force']);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/was removed on .* and does not come back/);
    expect((await app.cli(['run', file, '--hour', early])).err).toMatch(/was removed on /);
    expect(await sumOf(late)).toMatchObject([{ n: rows }]);
  });

  it('collects nothing before its day is over', async () => {
    const before = await keysBelow(app.environment, `landing/${input.name}/`);
    const { gc } = await sluice('gc', file);
    expect(gc).toEqual({ tallies: [] });
    expect(await keysBelow(app.environment, `landing/${input.name}/`)).toEqual(before);
  });

  it('refuses a day that is none, in one sentence', async () => {
    const { code, err } = await app.cli(['compact', file, '--before', '2026-02-31']);
    expect(code).toBe(2);
    expect(err).toContain('"2026-02-31" is no day: write it like 2026-11-24.');
  });

  it('has a schedule of its own, which goes where nothing is asked for', async () => {
    const { pipeline } = app.define(input);
    const schedules = app.client.temporal.schedule;
    const handle = schedules.getHandle(ids.maintenance(pipeline.name));
    await app.client.schedules.apply({ ...pipeline, schedule: { ...pipeline.schedule, paused: true } });
    const { action, spec } = await handle.describe();
    expect(action).toMatchObject({ workflowType: 'maintenance', args: [{ pipeline: { name: pipeline.name } }] });
    expect(spec.intervals).toMatchObject([{ every: 86_400_000, offset: 10_800_000 }]);
    await handle.trigger();
    const run = await waitFor(async () => (await handle.describe()).info.recentActions[0]?.action.workflow.workflowId);
    expect(await app.client.maintenance.result(run)).toMatchObject({
      pipeline: pipeline.name,
      compact: [{ batches: 0 }],
    });
    const maintenance = { offset: '3h', paused: false, compact: false, gc: false };
    await app.client.schedules.apply({ ...pipeline, maintenance });
    await expect(handle.describe()).rejects.toThrow(/not found/i);
    await schedules.getHandle(ids.schedule(pipeline.name)).delete();
  });
});
