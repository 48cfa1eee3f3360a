import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { hourKey, toLogicalHour, type LogicalHour } from '../../src/definition/hour.ts';
import { ids, keys } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { packageFolder } from '../../stack/provision.ts';
import { versions } from '../../stack/versions.ts';
import { TestApp } from '../helpers/app.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const csv = 'id,kind,amount\n1,a,1.5\n2,b,2.5\n3,a,3.5\n3,a,3.5\n,b,1\n';
const temporal = join(packageFolder({ name: 'temporal', version: versions.temporal }), 'temporal');
const run = promisify(execFile);

describe.skipIf(noStack)('an hour, by three doors', () => {
  let app: TestApp;
  let api: ServedProcess;

  beforeAll(async () => {
    app = await TestApp.start();
    api = await serveProcess(app.environment);
  });

  afterAll(async () => {
    await api.stop();
    await app.stop();
  });

  /** The plain command, as it stands in docs/operations.md. */
  const command = (...args: string[]) => run(temporal, args, { env: app.environment });

  async function triggered(body: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${api.url}/trigger-pipeline`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  /** The hour that the schedule has launched. */
  async function launchedBySchedule({ name }: Pipeline): Promise<LogicalHour> {
    const hour = async () => (await app.client.schedules.describe(name)).recent[0]?.hour;
    await expect.poll(hour, { timeout: 60_000 }).toBeDefined();
    return (await hour()) ?? '';
  }

  it('is one run, whoever asked first', async () => {
    const { input, pipeline } = app.define({ schedule: { paused: true } });
    let asked = 0;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    app.serve(input, {
      body: '',
      handler: (_, response) => {
        asked += 1;
        void held.then(() => response.end(csv));
      },
    });
    await app.client.schedules.apply(pipeline);
    await command('schedule', 'trigger', '--schedule-id', pipeline.name, '--overlap-policy', 'AllowAll');
    const hour = await launchedBySchedule(pipeline);
    const workflowId = ids.pipeline(pipeline.name, hour);
    await expect.poll(() => app.client.runs.find(pipeline.name, hour), { timeout: 60_000 }).toBeDefined();

    const [byClient, byHttp] = await Promise.all([
      app.client.runs.launch({ pipeline, hour }),
      triggered({ pipeline: pipeline.name, hour }),
    ]);
    const newest = await app.client.runs.find(pipeline.name, hour);
    expect(byClient).toMatchObject({ outcome: 'joined', hour, workflowId });
    expect(byHttp).toMatchObject({ outcome: 'joined', hour, workflowId, runId: newest?.runId });
    release();
    const report = await app.client.runs.wait(workflowId);
    expect(report).toMatchObject({ outcome: 'completed', runId: newest?.runId });
    expect(asked).toBe(1);
    // Long over: the hour is done, and joined as such.
    expect(await triggered({ pipeline: pipeline.name, hour })).toMatchObject({
      outcome: 'joined',
      runId: report.runId,
    });
    expect(await app.client.runs.attempts(pipeline.name, hour)).toHaveLength(1);
    await app.client.schedules.delete(pipeline.name);
  });

  it('gives the same equation and the same objects, whichever it is', async () => {
    // The source names its hour, so that hours that are over can be run; they hold the same.
    const { input, pipeline } = app.define({ schedule: { paused: true } });
    const named = {
      ...pipeline,
      source: { ...pipeline.source, url: `${app.source}/${input.name}-\${hour:YYYY-MM-DD-HH}.csv` },
    };
    const now = Date.parse(toLogicalHour(new Date()));
    const [bySchedule, byClient, byHttp] = [1, 2, 3].map((back) => toLogicalHour(now - back * 3_600_000)) as [
      string,
      string,
      string,
    ];
    for (const hour of [bySchedule, byClient, byHttp])
      app.files.set(`/${input.name}-${hourKey(hour).replace('T', '-')}.csv`, { body: csv });
    await app.client.schedules.apply(named);

    const end = bySchedule.replace(':00:00Z', ':59:59Z');
    const range = ['--start-time', bySchedule, '--end-time', end];
    await command('schedule', 'backfill', '--schedule-id', input.name, ...range, '--overlap-policy', 'AllowAll');
    expect(await launchedBySchedule(named)).toBe(bySchedule);
    await app.client.runs.launch({ pipeline: named, hour: byClient });
    expect(await triggered({ pipeline: input.name, hour: byHttp })).toMatchObject({ outcome: 'started' });

    const reports: RunReport[] = [];
    for (const hour of [bySchedule, byClient, byHttp]) {
      await expect.poll(() => app.client.runs.find(input.name, hour), { timeout: 60_000 }).toBeDefined();
      reports.push(await app.client.runs.wait(ids.pipeline(input.name, hour)));
    }
    const [first] = reports;
    expect(first?.equations).toMatchObject([
      { holds: true, rows: { read: 5, clean: 3, duplicates: 1, rejected: 1, published: 3, landed: 3, indexed: 3 } },
    ]);
    const store = new ObjectStore(readSettings(app.environment).store);
    const objects = async ({ batches, source, clean, equations }: RunReport) => {
      const batch = batches['main'] ?? '';
      const landed: string[] = [];
      for await (const { key } of store.list(keys.data(input.name)))
        if (key.includes(`/${batch}-`)) landed.push(key.replace(batch, 'batch'));
      return {
        raw: source?.raw.sha256,
        clean: clean?.datasets,
        equations: equations.map(({ dataset, rows, holds }) => ({ dataset, rows, holds })),
        // By date, type and content: names end in the hash of what they hold.
        landed: landed.map((key) => key.replace(/date=[^/]+/, 'date').replace(/-p(\d+)-\d+-/, '-p$1-')).toSorted(),
      };
    };
    const made = await Promise.all(reports.map(objects));
    expect(made[0]?.landed.length).toBeGreaterThan(0);
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
    await app.client.schedules.delete(input.name);
  });
});
