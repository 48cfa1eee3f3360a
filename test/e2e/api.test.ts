import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../src/client/sluice-client.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { newNamespace } from '../helpers/namespace.ts';
import { proxyOf } from '../helpers/tcp-proxy.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const csv = 'id,kind,amount\n1,a,1.5\n2,b,2.5\n3,a,3.5\n';

describe.skipIf(noStack)('the HTTP API on real servers', () => {
  let app: TestApp;
  let api: ServedProcess;
  let hour: string;

  beforeAll(async () => {
    hour = await steadyHour();
    app = await TestApp.start();
    api = await serveProcess(app.environment);
  });

  afterAll(async () => {
    await api.stop();
    await app.stop();
  });

  async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const json = (await response.json()) as Record<string, unknown>;
    return { status: response.status, type: response.headers.get('content-type') ?? '', json };
  }

  /** A pipeline with a schedule that starts nothing by itself, in place of all others that tests have left. */
  async function scheduled(): Promise<Pipeline> {
    const { input, pipeline } = app.define({ schedule: { paused: true } });
    app.serve(input, { body: csv });
    await app.client.schedules.apply(pipeline);
    await expect
      .poll(async () => (await app.client.schedules.list()).map(({ scheduleId }) => scheduleId))
      .toContain(pipeline.name);
    return pipeline;
  }

  it('triggers a pipeline by its name, and joins the run that there is', async () => {
    const pipeline = await scheduled();
    const first = await ask('POST', '/trigger-pipeline', { pipeline: pipeline.name });
    const workflowId = ids.pipeline(pipeline.name, hour);
    expect(first).toMatchObject({
      status: 200,
      json: {
        status: 'success',
        message: 'Pipeline triggered successfully.',
        ...{ pipeline: pipeline.name, hour, outcome: 'started', workflowId },
        runId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        links: { report: expect.stringContaining(`${api.url}/runs/${pipeline.name}/`) as string },
      },
    });
    const { links, runId } = first.json as { links: Record<string, string>; runId: string };
    const events = await fetch(links['events'] ?? '', { headers: { accept: 'application/x-ndjson' } });
    const told = (await events.text())
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as object);
    expect(told.at(-1)).toMatchObject({ type: 'ended', outcome: 'completed' });
    const again = await ask('POST', '/trigger-pipeline', { pipeline: pipeline.name, hour });
    expect(again).toMatchObject({ status: 200, json: { outcome: 'joined', workflowId, runId } });
    const report = await fetch(links['report'] ?? '');
    expect(await report.json()).toMatchObject({
      hour,
      runId,
      outcome: 'completed',
      equations: [{ rows: { indexed: 3 } }],
    });
    expect(links['temporal']).toContain(`/workflows/${encodeURIComponent(workflowId)}/${runId}`);
    await app.client.schedules.delete(pipeline.name);
  });

  it('triggers under a key once, and says what is wrong with what was asked', async () => {
    const pipeline = await scheduled();
    const asked = { pipeline: pipeline.name, hour };
    const key = { 'idempotency-key': `k-${pipeline.name}` };
    const [one, two] = await Promise.all([1, 2].map(() => ask('POST', '/trigger-pipeline', asked, key)));
    expect([one?.status, one?.json['outcome']]).toEqual([200, 'started']);
    expect(two?.json).toEqual(one?.json);
    const other = await ask('POST', '/trigger-pipeline', { ...asked, force: true }, key);
    expect([other.status, other.json['code']]).toEqual([422, 'KeyReused']);

    const refused = async (body: object) => {
      const { status, json } = await ask('POST', '/trigger-pipeline', body);
      expect(json).toMatchObject({ status: 'error', message: expect.stringMatching(/^Failed to trigger pipeline: /) });
      return [status, json['code'], json['message']];
    };
    expect(await refused({ pipeline: 'nobody' })).toEqual([
      404,
      'PipelineUnknown',
      expect.stringContaining('"nobody"'),
    ]);
    expect(await refused({ ...asked, hour: '2099-01-01T00' })).toEqual([
      ...[422, 'DefinitionInvalid'],
      expect.stringContaining('has not begun yet'),
    ]);
    const broken = {
      name: pipeline.name,
      source: { url: 'https://example.org' },
      columns: { a: { name: 'a' } },
      key: ['b'],
    };
    expect(await refused({ pipeline: broken })).toEqual([
      ...[422, 'DefinitionInvalid'],
      expect.stringContaining('key'),
    ]);
    await app.client.schedules.delete(pipeline.name);
  });

  it('tells of runs: the list, one, its report, its attempts, its story; and runs it again', async () => {
    const pipeline = await scheduled();
    const { workflowId } = await app.client.runs.launch({ pipeline, hour });
    const report = await app.client.runs.wait(workflowId);
    const run = `/runs/${pipeline.name}/${hour.slice(0, 13)}`;
    const seen = async (path: string) => {
      const { status, json } = await ask('GET', path);
      expect({ status, json }).toMatchObject({ status: 200 });
      return json;
    };
    const listed = async () => (await seen(`/runs?pipeline=${pipeline.name}&outcome=completed&limit=5`))['runs'];
    await expect.poll(listed, { timeout: 60_000 }).toMatchObject([{ workflowId, hour, status: 'completed', rows: 3 }]);
    expect((await seen(`/runs?pipeline=${pipeline.name}&to=2020-01-01T00`))['runs']).toEqual([]);
    expect(await seen(run)).toMatchObject({ run: { workflowId, runId: report.runId, status: 'completed' } });
    // Nothing of a report is lost on its way through the schema.
    expect(await seen(`${run}/report`)).toEqual(await app.client.runs.report(pipeline.name, hour));
    expect(await seen(`${run}/report?run=${report.runId}`)).toMatchObject({ runId: report.runId });
    expect((await seen(`${run}/attempts`))['attempts']).toMatchObject([{ runId: report.runId, rows: 3 }]);
    const { running, story } = (await seen(`${run}/story`)) as { running: boolean; story: { kind: string }[] };
    expect([running, story[0]]).toMatchObject([false, { kind: 'run', name: 'begun' }]);
    const events = await (await fetch(`${api.url}${run}/events`)).text();
    expect(events).toMatch(/^event: stage-begun\ndata: \{.*\}\n\n/);
    expect(events).toMatch(/event: ended\ndata: \{.*"outcome":"completed"\}\n\n$/);

    const again = await ask('POST', `${run}/retry`, { from: 'publish' });
    expect(again).toMatchObject({ status: 200, json: { outcome: 'started', workflowId, hour } });
    const second = await app.client.runs.wait(workflowId);
    expect([second.outcome, second.startFrom]).toEqual(['completed', 'publish']);
    expect((await seen(`${run}/attempts`))['attempts']).toHaveLength(2);

    expect(await seen(`${run}/diff`)).toEqual(
      JSON.parse(JSON.stringify(await app.client.runs.diff(pipeline.name, { hour }))),
    );
    expect(await seen(`${run}/diff?otherRun=${report.runId}`)).toMatchObject({
      old: { runId: report.runId },
      new: { runId: second.runId },
    });

    for (const path of [
      `/runs/${pipeline.name}/2020-01-01T00`,
      '/runs/nobody/2020-01-01T00/report',
      '/runs/nobody/2020-01-01T00/events',
    ])
      expect(await ask('GET', path)).toMatchObject({
        status: 404,
        type: /problem\+json/,
        json: { code: 'HourUnknown' },
      });
    for (const word of ['pause', 'resume', 'cancel'])
      expect(await ask('POST', `${run}/${word}`)).toMatchObject({ status: 409, json: { code: 'NotRunning' } });
    await app.client.schedules.delete(pipeline.name);
  });

  it('makes schedules, steers and deletes them', async () => {
    const { input } = app.define({ schedule: { paused: true } });
    app.serve(input, { body: csv });
    const path = `/schedules/${input.name}`;
    const made = { pipeline: input.name, schedules: [{ scheduleId: input.name, change: 'create' }, {}] };
    expect(await ask('PUT', `${path}?dryRun=true`, input)).toMatchObject({ status: 200, json: made });
    expect(await ask('GET', path)).toMatchObject({ status: 404, json: { code: 'ScheduleUnknown' } });
    expect(await ask('PUT', path, input)).toMatchObject({ status: 200, json: made });
    expect(await ask('PUT', path, input)).toMatchObject({
      json: { schedules: [{ change: 'none' }, { change: 'none' }] },
    });
    const changed = await ask('PUT', `${path}?dryRun=true`, { ...input, schedule: { every: '2h', paused: true } });
    const [first] = changed.json['schedules'] as { change: string; differences: object[] }[];
    expect(first?.change).toBe('update');
    expect(first?.differences[0]).toEqual({ path: 'times', old: ['every 1h'], new: ['every 2h'] });
    expect(await ask('PUT', '/schedules/another', input)).toMatchObject({ status: 422 });
    expect(await ask('POST', `${path}/resume`)).toMatchObject({ status: 200, json: { paused: false } });
    expect(await ask('POST', `${path}/pause`, { note: 'source is down' })).toMatchObject({
      json: { scheduleId: input.name, paused: true, note: 'source is down' },
    });
    const triggered = await ask('POST', `${path}/trigger`);
    const workflowId = ids.pipeline(input.name, String(triggered.json['hour']));
    expect(triggered).toMatchObject({ status: 200, json: { scheduleId: input.name, workflowId } });
    expect(await ask('GET', path)).toMatchObject({
      status: 200,
      json: { paused: true, times: ['every 1h'], starts: 'launch' },
    });
    const maintenance = encodeURIComponent(ids.maintenance(input.name));
    expect(await ask('GET', `/schedules/${maintenance}`)).toMatchObject({
      status: 200,
      json: { starts: 'maintenance' },
    });
    const names = async () =>
      ((await ask('GET', '/schedules')).json['schedules'] as { scheduleId: string }[]).map(
        ({ scheduleId }) => scheduleId,
      );
    await expect.poll(names, { timeout: 60_000 }).toContain(input.name);
    await expect.poll(async () => app.client.runs.find(input.name, String(triggered.json['hour']))).toBeDefined();
    expect((await app.client.runs.wait(workflowId)).outcome).toBe('completed');
    expect(await ask('DELETE', path)).toMatchObject({
      status: 200,
      json: { deleted: [input.name, ids.maintenance(input.name)] },
    });
    expect(await ask('DELETE', path)).toMatchObject({ status: 404 });
  });

  it('previews a backfill, starts it, tells how far it is, and steers it', async () => {
    const { input } = app.define({ schedule: { paused: true } });
    const pipeline = { ...input, source: { url: `${app.source}/${input.name}-\${hour:YYYY-MM-DD-HH}.csv` } };
    // An hour that has just ended may still be found unchanged, without rows of its own.
    const [from, to] = [3, 2].map((back) => toLogicalHour(Date.parse(hour) - back * 3_600_000));
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    for (const one of [from, to]) {
      const handler = (_: unknown, response: ServerResponse) => void held.then(() => response.end(csv));
      app.files.set(`/${input.name}-${one?.slice(0, 13).replace('T', '-')}.csv`, { body: '', handler });
    }
    const range = { pipeline, from, to };
    expect(await ask('POST', '/backfills/preview', range)).toMatchObject({
      status: 200,
      json: { outcome: 'planned', found: { missing: 2 }, plan: { hours: [from?.slice(0, 13), to?.slice(0, 13)] } },
    });
    const started = await ask('POST', '/backfills', { ...range, parallel: 1 });
    expect(started).toMatchObject({ status: 200, json: { running: false } });
    expect(await ask('POST', '/backfills', range)).toMatchObject({ json: { running: true } });
    const path = `/backfills/${input.name}/${from?.slice(0, 13)}/${to?.slice(0, 13)}`;
    const mode = async () => (await ask('GET', path)).json['mode'];
    await expect.poll(mode, { timeout: 60_000 }).toBe('running');
    expect(await ask('POST', `${path}/pause`)).toMatchObject({ status: 200, json: { mode: 'paused' } });
    expect(await ask('POST', `${path}/resume`)).toMatchObject({ status: 200, json: { mode: 'running' } });
    release();
    await expect.poll(mode, { timeout: 120_000, interval: 500 }).toBe('over');
    expect(await ask('GET', path)).toMatchObject({ json: { hours: 2, done: 2, failed: 0, rows: 6 } });
    expect(await ask('POST', `${path}/cancel`)).toMatchObject({ status: 409, json: { code: 'NotRunning' } });
    const listed = async () => (await ask('GET', `/backfills?pipeline=${input.name}`)).json['backfills'];
    const { workflowId } = started.json;
    await expect.poll(listed, { timeout: 60_000 }).toMatchObject([{ workflowId, status: 'completed' }]);
    expect(await ask('POST', '/backfills', { ...range, to: '2099-01-01T00' })).toMatchObject({ status: 422 });
  });

  it('steers consumers', async () => {
    const { input, pipeline } = app.define();
    app.serve(input, { body: csv });
    const { workflowId } = await app.client.runs.launch({ pipeline, hour });
    await app.client.runs.wait(workflowId);
    const modes = async () =>
      ((await ask('GET', `/consumers?stream=${input.name}`)).json['consumers'] as { state?: { mode: string } }[]).map(
        ({ state }) => state?.mode,
      );
    await expect.poll(modes, { timeout: 60_000 }).toEqual(['running']);
    const path = `/consumers/${input.name}`;
    expect(await ask('POST', `${path}/pause`)).toMatchObject({ status: 200, json: { states: [{ mode: 'paused' }] } });
    expect(await modes()).toEqual(['paused']);
    expect(await ask('POST', `${path}/resume`)).toMatchObject({ status: 200, json: { states: [{ mode: 'running' }] } });
    const loss = { partition: 0, from: '0', to: '1', reason: 'nothing is lost' };
    expect(await ask('POST', `${path}/losses`, loss)).toMatchObject({ status: 409, json: { code: 'LossRefused' } });
    expect(await ask('POST', `${path}/losses`, { ...loss, from: 0 })).toMatchObject({ status: 400 });
    expect(await ask('POST', `${path}/drain`)).toMatchObject({ status: 200, json: { states: [{ mode: 'draining' }] } });
    await expect.poll(modes, { timeout: 60_000 }).toEqual([]);
    expect(await ask('POST', `${path}/pause`)).toMatchObject({ status: 409, json: { code: 'NotRunning' } });
  });

  it('says so while Temporal is away, and goes on once it is back', async () => {
    const temporal = await proxyOf(app.environment['TEMPORAL_ADDRESS'] ?? '');
    const away = await serveProcess({ ...app.environment, TEMPORAL_ADDRESS: temporal.address });
    const ready = async () => (await fetch(`${away.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    await temporal.close();
    await expect.poll(ready, { timeout: 60_000 }).toBe(503);
    const problem = await fetch(`${away.url}/runs`);
    expect([problem.status, await problem.json()]).toMatchObject([503, { code: 'StackUnavailable', status: 503 }]);
    const triggered = await fetch(`${away.url}/trigger-pipeline`, { method: 'POST' });
    expect([triggered.status, await triggered.json()]).toMatchObject([
      500,
      { status: 'error', code: 'StackUnavailable' },
    ]);
    await temporal.open();
    await expect.poll(ready, { timeout: 60_000 }).toBe(200);
    expect((await fetch(`${away.url}/runs?limit=1`)).status).toBe(200);
    expect(await away.stop()).toBe(0);
    expect(away.said()).toContain('API stopped');
    await temporal.close();
  });

  it('takes a trigger back that no worker takes up, so that nothing starts later', async () => {
    const namespace = await newNamespace(app.environment['TEMPORAL_ADDRESS']);
    const environment = { ...app.environment, TEMPORAL_NAMESPACE: namespace };
    const { input } = app.define();
    const alone = await serveProcess(environment, [await app.definitionFile(input)]);
    const response = await fetch(`${alone.url}/trigger-pipeline`, {
      method: 'POST',
      headers: { 'idempotency-key': 'once' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      500,
      { status: 'error', code: 'NoWorker', message: expect.stringMatching(/was taken back: start one with/) },
    ]);
    const client = await SluiceClient.connect(environment);
    const { status } = await client.temporal.workflow.getHandle(ids.keyedLaunch(input.name, 'once')).describe();
    expect(status.name).toBe('TERMINATED');
    await client.close();
    await alone.stop();
  });
});
