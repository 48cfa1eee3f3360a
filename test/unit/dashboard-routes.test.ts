import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { createApi } from '../../src/client/api/server.ts';
import { loadDefinition } from '../../src/definition/load.ts';

describe('the dashboard of the counties, as the page asks for it', () => {
  let server: Server;
  let api: Api;
  let status = 200;
  const searches: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.on('data', (part: Buffer) => searches.push(part.toString()));
      request.on('end', () => {
        response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
        const error = { type: 'illegal_argument_exception', reason: 'no such thing' };
        response.end(JSON.stringify(status === 200 ? { hits: { total: { value: 0 }, hits: [] } } : { error }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = await createApi({
      ...{ host: '127.0.0.1', hosts: [], rateLimit: 1_000 },
      pipeline: await loadDefinition(join(import.meta.dirname, '..', '..', 'pipelines', 'counties.yaml')),
      environment: {
        // Without Temporal there is the pipeline that the API was given.
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        SLUICE_ELASTICSEARCH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    });
  });
  afterAll(async () => {
    await api.close();
    server.close();
  });

  it('answers every panel by its own range, which ends with the day that it names', async () => {
    const { range, panels } = (await api.inject({ url: '/dashboards/data-counties' })).json<{
      range: Record<string, string>;
      panels: { id: string }[];
    }>();
    expect(range).toEqual({ from: '2019-11-01', to: '2020-10-31' });
    for (const { id } of panels) {
      const query = new URLSearchParams({ ...range, mode: 'light' });
      const { statusCode } = await api.inject({ url: `/dashboards/data-counties/panels/${id}?${query.toString()}` });
      expect([id, statusCode]).toEqual([id, 200]);
    }
    expect(searches.length).toBeGreaterThan(5);
    for (const search of searches) {
      expect(search).toContain('"gte":"2019-11-01T00:00:00.000Z","lte":"2020-10-31T23:59:59.999Z"');
    }
  });

  it('tells of a question that Elasticsearch refuses as wrong, and not as an outage', async () => {
    status = 400;
    const { statusCode, headers, body } = await api.inject({
      url: '/dashboards/data-counties/panels/counties-hours?from=now-2y&to=now/d',
    });
    expect([statusCode, headers['retry-after']]).toEqual([422, undefined]);
    expect(JSON.parse(body)).toMatchObject({
      code: 'DashboardInvalid',
      detail: expect.stringContaining('no such thing') as string,
    });
  });
});
