import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow } from '../helpers/bystander.ts';
import { noSpark } from '../helpers/stack.ts';

describe.skipIf(noSpark)('an hour that Spark cleans', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });

  afterAll(async () => {
    await app?.stop();
  });

  const csv = (rows: number): string =>
    ['id,kind,amount', ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 3},${at % 97 === 0 ? 'x' : at / 8}`)]
      .join('\n')
      .concat('\n');

  it('survives its worker, accounts for every row, and is the same hour by another engine', async () => {
    const { input, pipeline } = app.define({ engine: 'spark' });
    app.serve(pipeline, { body: csv(30_000) });
    const { workflowId, hour } = await app.client.runs.launch({ pipeline: input });
    while ((await app.client.runs.progress(workflowId))?.current !== 'clean') await wait(50);
    // What Spark writes for the hour is there as soon as it works.
    let begun: string[] = [];
    for (let tries = 0; tries < 2_400 && begun.length === 0; tries += 1) {
      begun = (await keysBelow(app.environment, keys.sparkScratches())).filter((key) => key.includes('/judged/'));
      await wait(50);
    }
    expect(begun.length).toBeGreaterThan(0);
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    await app.restartWorker();
    const report = await app.client.runs.result(workflowId);
    expect(report.outcome).toBe('completed');
    expect(report.clean?.engine).toBe('spark');
    // By its own word, and of this run alone, which two processes shared.
    const { jobs = [], stages = [] } = report.clean?.spark ?? {};
    expect(jobs.map(({ step }) => step)).toEqual(expect.arrayContaining(['judges rows', 'writes clean rows']));
    expect(stages.some(({ ms, tasks, readBytes }) => ms > 0 && tasks > 0 && readBytes > 0)).toBe(true);
    expect(report.equations).toEqual([expect.objectContaining({ holds: true })]);
    expect(report.equations[0]).toMatchObject({ rows: { read: 30_000, rejected: 310, duplicates: 0, filtered: 0 } });
    expect(await keysBelow(app.environment, keys.sparkScratches())).toEqual([]);

    const other = { ...input, engine: 'duckdb' } as const;
    const again = await app.client.runs.launch({ pipeline: other, hour, force: true });
    const second = await app.client.runs.result(again.workflowId);
    expect(second.clean?.engine).toBe('duckdb');
    expect(second.clean?.spark).toBeUndefined();
    expect(second.batches).toEqual(report.batches);
    expect(second.generations).toEqual(report.generations);
  });

  it('fails at its beginning, in one sentence, where the worker has no Spark', async () => {
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    const withSpark = app.environment['SLUICE_SPARK_URL'];
    delete app.environment['SLUICE_SPARK_URL'];
    await app.restartWorker();
    app.environment['SLUICE_SPARK_URL'] = withSpark;
    const { input, pipeline } = app.define({ engine: 'spark' });
    app.serve(pipeline, { body: csv(3) });
    const { workflowId } = await app.client.runs.launch({ pipeline: input });
    await expect(app.client.runs.result(workflowId)).rejects.toThrow(
      /engine: spark, and no Spark is configured here: set SLUICE_SPARK_URL/,
    );
  });
});
