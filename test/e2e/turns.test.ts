import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow, queryHour } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';

/** Each test goes on where the one before it stopped, as a day of a pipeline does. */
describe.skipIf(noStack)('hours that take the keys of earlier ones out', () => {
  let app: TestApp;
  let input: PipelineInput;
  let pipeline: Pipeline;
  const hours = [3, 2, 1].map((ago) => toLogicalHour(Date.now() - ago * 86_400_000)) as [string, string, string];

  beforeAll(async () => {
    app = await TestApp.start();
    const name = `e-${randomBytes(4).toString('hex')}`;
    const url = `${app.source}/${name}-\${hour:YYYY-MM-DD-HH}.csv`;
    ({ input, pipeline } = app.define({ name, source: { url }, duplicates: { acrossRuns: true } }));
  });

  afterAll(async () => {
    await app?.stop();
  });

  const csv = (rows: readonly number[]): string => ['id,kind,amount', ...rows.map((id) => `${id},k,1`), ''].join('\n');
  const address = (hour: string): string => `/${pipeline.name}-${hour.slice(0, 13).replace('T', '-')}.csv`;
  const idsOf = async (hour: string): Promise<unknown[]> =>
    (await queryHour(app.environment, pipeline.name, hour, 'SELECT id FROM t ORDER BY id')).map(({ id }) => id);
  const marks = async (): Promise<string[]> =>
    (await keysBelow(app.environment, `runs/${pipeline.name}/`)).filter((key) => key.endsWith('/stale.json'));
  const status = async (): Promise<{ workflowId: string; stale?: { since: object } }[]> => {
    const { code, out } = await app.cli(['status', pipeline.name, '--json']);
    expect(code).toBe(0);
    return (JSON.parse(out) as { runs: { workflowId: string }[] }).runs;
  };
  const staleRuns = async (): Promise<string[]> =>
    (await status()).filter(({ stale }) => stale).map(({ workflowId }) => workflowId);

  it('are cleaned one at a time, the oldest first, in whatever order they were started', async () => {
    const imports = Promise.withResolvers<void>();
    for (const [at, hour] of hours.entries()) {
      app.files.set(address(hour), {
        body: '',
        handler: (_request, response) => {
          void imports.promise.then(() => response.end(csv([at + 1, at + 2, at + 3])));
        },
      });
    }
    const workflowIds: string[] = [];
    for (const hour of hours.toReversed()) {
      const launched = await app.client.runs.launch({ pipeline, hour, useCurrent: true });
      expect(launched.outcome).toBe('started');
      workflowIds.unshift(launched.workflowId);
    }
    // Temporal's list follows a moment later; runs go on before that too, but then this test would prove nothing.
    while ((await app.client.runs.list({ pipeline: pipeline.name, limit: 10 })).length < hours.length) await wait(100);
    imports.resolve();
    const reports: RunReport[] = await Promise.all(workflowIds.map((id) => app.client.runs.result(id)));
    for (const { equations, stages, madeStale } of reports) {
      expect(equations[0]).toMatchObject({ holds: true, rows: { read: 3 } });
      expect(stages.map(({ stage }) => stage)).toContain('turn');
      expect(madeStale).toBeUndefined();
    }
    for (const [at, report] of reports.slice(1).entries()) {
      const cleaned = report.stages.find(({ stage }) => stage === 'clean')?.startedAt ?? '';
      expect(cleaned > (reports[at]?.endedAt ?? '~')).toBe(true);
    }
    expect(await Promise.all(hours.map(idsOf))).toEqual([['1', '2', '3'], ['4'], ['5']]);
    expect(await marks()).toEqual([]);
  });

  it('are stale once an earlier one has other keys, and both command and status say so', async () => {
    app.files.set(address(hours[0]), { body: csv([1, 2]) });
    const file = await app.definitionFile(input);
    const { code, err } = await app.cli(['run', file, '--hour', hours[0], '--refetch', '--use-current']);
    expect(code).toBe(0);
    expect(err).toContain(`stale now: 2 later hours (${hours[1]}, ${hours[2]})`);
    expect(await marks()).toEqual([hours[1], hours[2]].map((hour) => keys.stale(pipeline.name, hour)));
    const since = { hour: hours[0], generation: 2 };
    const runs = await status();
    expect(runs.filter(({ stale }) => stale)).toMatchObject([{ stale: { since } }, { stale: { since } }]);
    expect(new Set(await staleRuns())).toEqual(
      new Set([hours[1], hours[2]].map((hour) => ids.pipeline(pipeline.name, hour))),
    );
    const { out } = await app.cli(['status', pipeline.name]);
    expect(out.split('\n').filter((line) => line.endsWith(', stale'))).toHaveLength(2);
    // Without the object store it says what it knows.
    const alone = await app.cli(['status', pipeline.name], {
      ...app.environment,
      SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1',
    });
    expect(alone).toMatchObject({ code: 0, out: expect.not.stringContaining('stale') as unknown });
  });

  it('run again when they are launched, without force, and are done then', async () => {
    expect(await app.client.runs.launch({ pipeline, hour: hours[0] })).toMatchObject({ outcome: 'joined' });
    const again = [];
    for (const hour of hours.slice(1)) again.push(await app.client.runs.launch({ pipeline, hour }));
    expect(again.map(({ outcome }) => outcome)).toEqual(['started', 'started']);
    const [second, third] = await Promise.all(again.map(({ workflowId }) => app.client.runs.result(workflowId)));
    expect(second).toMatchObject({ generations: { main: 2 }, source: { replayed: true } });
    expect(third).toMatchObject({ generations: { main: 2 }, source: { replayed: true } });
    expect(await Promise.all(hours.map(idsOf))).toEqual([['1', '2'], ['3', '4'], ['5']]);
    expect(await marks()).toEqual([]);
    expect(await staleRuns()).toEqual([]);
    for (const hour of hours) {
      expect(await app.client.runs.launch({ pipeline, hour })).toMatchObject({ outcome: 'joined', report: { hour } });
    }
  });
});
