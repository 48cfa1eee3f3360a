import { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serveApi, type ServedApi } from '../../src/client/api/serving.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { attributes } from '../../src/workflows/attributes.ts';
import { noTemporal, program } from '../helpers/temporal.ts';

/** Temporal is there, and nobody works. */
describe.skipIf(noTemporal)('the HTTP API without a worker', () => {
  let temporal: TestWorkflowEnvironment;
  let api: ServedApi;

  beforeAll(async () => {
    temporal = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: program ?? '' },
        searchAttributes: Object.values(attributes).map(({ name, type }) => defineSearchAttributeKey(name, type)),
      },
    });
    const environment = { TEMPORAL_ADDRESS: temporal.address };
    const streams = { all: 3, perAddress: 2 };
    api = await serveApi({ host: '127.0.0.1', port: 0, hosts: [], environment, rateLimit: 1_000, streams });
  });

  afterAll(async () => {
    await api?.stop();
    await temporal?.teardown();
  });

  const start = (type: string, workflowId: string) =>
    temporal.client.workflow.start(type, { workflowId, taskQueue: taskQueues.light, args: [{}] });

  it('tells a backfill that nobody answers for from one that is not there', async () => {
    await start('backfill', ids.backfill('here', '2026-11-24T00:00:00Z', '2026-11-24T02:00:00Z'));
    const ask = async (name: string) =>
      (await fetch(`${api.url}/backfills/${name}/2026-11-24T00/2026-11-24T02`)).json();
    expect(await ask('here')).toMatchObject({ status: 503, code: 'NoWorker' });
    expect(await ask('gone')).toMatchObject({ status: 404, code: 'HourUnknown' });
  });

  it('follows so many runs at a time and no more, and others once a stream is left', async () => {
    await start('pipeline', ids.pipeline('here', '2026-11-24T03:00:00Z'));
    const open = async (hour = '2026-11-24T03') => {
      const left = new AbortController();
      const response = await fetch(`${api.url}/runs/here/${hour}/events`, { signal: left.signal });
      return { response, leave: () => left.abort() };
    };
    // An hour that is not there takes no place.
    for (let n = 0; n < 4; n += 1) expect((await open('2026-11-24T04')).response.status).toBe(404);
    const [first, second] = await Promise.all([open(), open()]);
    expect([first.response.status, second.response.status]).toEqual([200, 200]);
    const { response } = await open();
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await response.json()).toMatchObject({
      code: 'TooManyRequests',
      detail: expect.stringMatching(/2 streams/),
    });
    first.leave();
    const again = await vi.waitFor(
      async () => {
        const stream = await open();
        expect(stream.response.status).toBe(200);
        return stream;
      },
      { timeout: 60_000 },
    );
    for (const { leave } of [second, again]) leave();
  });
});
