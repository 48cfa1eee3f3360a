import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ids } from '../../src/definition/names.ts';
import type { RunReport, ReindexReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { IndexLab } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('sluice reindex, with everything running', () => {
  let app: TestApp;
  let lab: IndexLab;

  beforeAll(async () => {
    app = await TestApp.start();
    lab = new IndexLab(stageDeps(app.environment));
  });

  afterAll(async () => {
    await lab.deps.search.close();
    await app.stop();
  });

  const csv = (rows: number): string =>
    ['id,kind,amount', ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 2},${at}.5`)].join('\n') + '\n';

  const aggregate = [{ name: 'kinds', groupBy: ['kind'], measures: { n: { count: '*' as const } } }];

  it('rebuilds every index, survives the worker’s death, and an hour that runs meanwhile is in it', async () => {
    const { input, pipeline } = app.define({ aggregate });
    const file = await app.definitionFile(input);
    app.serve(pipeline, { body: csv(2_000) });
    for (const hour of ['2026-11-24T01', '2026-11-24T02', '2026-11-24T03']) {
      const run = await app.cli(['run', file, '--hour', hour, '--use-current']);
      expect(run).toMatchObject({ code: 0 });
    }
    const [main, kinds] = [`sluice-${pipeline.name}`, `sluice-${pipeline.name}.kinds`];
    expect(await lab.count(main)).toBe(6_000);

    const dry = await app.cli(['reindex', file, '--dry-run', '--json']);
    expect(dry).toMatchObject({ code: 0 });
    const { plans } = JSON.parse(dry.out) as ReindexReport;
    expect(plans.map(({ alias, hours, rows }) => [alias, hours, rows])).toEqual([
      [main, 3, 6_000],
      [kinds, 3, 6],
    ]);
    expect(await lab.indices(main)).toEqual({ [`${main}-000001`]: [main] });

    const rebuilding = app.cli(['reindex', file, '--json']);
    const running = app.cli(['run', file, '--hour', '2026-11-24T04', '--use-current', '--json']);
    // Killed once it has begun to fill the new index, wherever it is then.
    const handle = app.client.temporal.workflow.getHandle(ids.reindex(pipeline.name));
    for (;;) {
      const notes: Readonly<Record<string, string>> = await app.client.runs.notes(handle.workflowId).catch(() => ({}));
      if ('rebuildIndex' in notes) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    // Asked for while the rebuild is on its way: answered by a look of its own.
    const beside = app.cli(['reindex', file, '--dry-run', '--json']);
    await app.restartWorker();
    expect(JSON.parse((await beside).out)).toMatchObject({ dryRun: true, rebuilt: [] });
    const [rebuilt, run] = await Promise.all([rebuilding, running]);
    expect(rebuilt).toMatchObject({ code: 0 });
    expect(run).toMatchObject({ code: 0 });
    const report = JSON.parse(rebuilt.out) as ReindexReport;
    expect(report.rebuilt.map(({ index }) => index)).toEqual([`${main}-000002`, `${kinds}-000002`]);
    expect((JSON.parse(run.out) as { holds: boolean }).holds).toBe(true);
    expect(await lab.indices(main)).toEqual({ [`${main}-000002`]: [main] });
    expect(await lab.count(main)).toBe(8_000);
    expect(await lab.count(kinds)).toBe(8);
  });

  it('changes a column’s type with the next hour, for all hours', async () => {
    const { input, pipeline } = app.define();
    app.serve(pipeline, { body: csv(50) });
    await app.cli(['run', await app.definitionFile(input), '--hour', '2026-11-24T01', '--use-current']);
    const columns = { ...input.columns, amount: { name: 'amount' } };
    const changed = await app.definitionFile({ ...input, columns });
    const run = await app.cli(['run', changed, '--hour', '2026-11-24T02', '--use-current', '--json']);
    expect(run).toMatchObject({ code: 0 });
    expect((JSON.parse(run.out) as Pick<RunReport, 'equations'>).equations).toMatchObject([{ holds: true }]);
    const alias = `sluice-${pipeline.name}`;
    expect(await lab.indices(alias)).toEqual({ [`${alias}-000002`]: [alias] });
    const { count } = await lab.deps.search.client.count({ index: alias, query: { term: { amount: '7.5' } } });
    expect(count).toBe(2);
  });
});
