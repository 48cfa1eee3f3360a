import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const csv = 'id,kind,amount\n1,a,1.5\n2,b,2.5\n3,a,3.5\n';

describe.skipIf(noStack)('the HTTP API on real servers', () => {
  let app: TestApp;
  let api: ServedProcess;
  let hour: string;

  beforeAll(async () => {
    app = await TestApp.start();
    api = await serveProcess(app.environment);
    hour = toLogicalHour(new Date());
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
});
