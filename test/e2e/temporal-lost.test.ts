import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import { down, up, type StackOptions } from '../../stack/index.ts';
import { StackProgress } from '../../stack/progress.ts';
import { TestApp } from '../helpers/app.ts';
import { noStack } from '../helpers/stack.ts';

const csv = 'id,kind,amount\n1,a,1.5\n2,b,2.5\n3,a,3.5\n';
const HOUR_MS = 3_600_000;

/** docs/operations.md, "Temporal's database is lost": a Temporal server of its own, beside the stack's other servers. */
describe.skipIf(noStack)('Temporal without its database', () => {
  let app: TestApp;
  let temporal: StackOptions & { readonly state: string };

  beforeAll(async () => {
    const state = await mkdtemp(join(tmpdir(), 'sluice-temporal-'));
    temporal = { state, only: ['temporal'], freePorts: true, progress: new StackProgress(() => {}) };
    const { environment } = await up(temporal);
    const address = environment['TEMPORAL_ADDRESS'] ?? '';
    app = await TestApp.start({ TEMPORAL_ADDRESS: address });
  });

  afterAll(async () => {
    await app?.stop();
    await down({ ...temporal, remove: true });
    await rm(temporal.state, { recursive: true, force: true });
  });

  const json = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await app.cli([...args, '--json'])).out) as Record<string, unknown>;

  it('is filled again from the object store: done hours are joined, one that was under way is neither fetched nor sent again', async () => {
    const { input } = app.define({ schedule: { paused: true } });
    input.source = { ...input.source, onUnchanged: 'snapshot' };
    const file = await app.definitionFile(input);
    const asked: string[] = [];
    app.serve(input, {
      body: '',
      handler: (request, response) => {
        asked.push(request.url ?? '');
        response.end(csv);
      },
    });
    const [under, done] = [0, 1].map((ago) => toLogicalHour(Date.now() - ago * HOUR_MS)) as [string, string];
    const run = (hour: string) => json('run', input.name, '--hour', hour);
    expect((await app.cli(['schedule', 'apply', file])).code).toBe(0);
    const { runId } = await json('run', input.name, '--hour', done, '--use-current');
    await app.client.consumers.pause(input.name);
    // It lands until its activity hears of that.
    const consumer = app.client.temporal.workflow.getHandle(ids.consumer(input.name, 0));
    await vi.waitUntil(async () => ((await consumer.describe()).raw.pendingActivities ?? []).length === 0, {
      ...{ timeout: 60_000, interval: 100 },
    });
    const { workflowId } = await app.client.runs.launch({ pipeline: input, hour: under });
    await vi.waitUntil(async () => (await app.client.runs.progress(workflowId))?.waiting !== undefined, {
      ...{ timeout: 60_000, interval: 100 },
    });

    await down(temporal);
    const files = (await readdir(join(temporal.state, 'temporal'))).filter((name) => name.startsWith('temporal.db'));
    expect(files).toContain('temporal.db');
    for (const name of files) await rm(join(temporal.state, 'temporal', name));
    await up(temporal);

    expect(await json('status', input.name)).toMatchObject({ runs: [], schedules: [], consumers: [] });
    expect(await json('run', 'report', done, '--pipeline', input.name)).toMatchObject({ outcome: 'completed' });
    expect((await app.cli(['schedule', 'apply', file])).code).toBe(0);
    // The worker is the one from before.
    expect(await run(done)).toMatchObject({ outcome: 'completed', hour: done, runId });
    const again = await run(under);
    expect(again).toMatchObject({
      outcome: 'completed',
      rows: { read: 3, published: 3, landed: 3, indexed: 3 },
      holds: true,
    });
    expect(asked).toHaveLength(2);

    const store = new ObjectStore(readSettings(app.environment).store);
    const found = async (prefix: string): Promise<string[]> => {
      const all: string[] = [];
      for await (const { key } of store.list(prefix)) all.push(key);
      return all;
    };
    expect(await found(keys.hours(input.name, under))).toHaveLength(1);
    expect(await found(keys.batchesAll(input.name))).toHaveLength(2);
    expect(await app.client.runs.attempts(input.name, done)).toMatchObject([{ outcome: 'completed', rows: 3 }]);
    expect(await app.client.consumers.list(input.name)).toMatchObject([{ state: { mode: 'running' } }]);
    expect(await app.client.runs.find(input.name, under)).toMatchObject({
      ...{ workflowId: ids.pipeline(input.name, under), status: 'completed' },
    });
  });
});
