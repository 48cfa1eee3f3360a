import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SearchConnector } from '../../src/connectors/search.ts';
import { answerMetric, valuesOf } from '../../src/dashboards/answering.ts';
import type { MetricPanel } from '../../src/dashboards/panel.ts';

const panel: MetricPanel = {
  ...{
    kind: 'metric',
    id: 'shops-records',
    title: 'Records',
    question: 'How many?',
    index: 'shops',
    timeField: 'hour',
  },
  ...{ needs: { hour: 'date' }, size: { w: 12, h: 6 }, metric: { operation: 'count' }, format: 'number' },
};
const context = { from: 'now-24h', to: 'now', filters: {} };

describe('what Elasticsearch answers a panel', () => {
  let server: Server;
  let search: SearchConnector;
  let asked: URL[];
  let answer: { status: number; body: unknown };

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://server'));
      response.writeHead(answer.status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    search = new SearchConnector({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  beforeEach(() => void (asked = []));
  afterAll(async () => {
    await search.close();
    server.close();
  });

  const answering = (status: number, body: unknown): void => void (answer = { status, body });

  it('is of all shards, or none', async () => {
    answering(200, { hits: { total: { value: 3 } } });
    expect(await answerMetric(search, panel, context)).toEqual({ value: 3, documents: 3 });
    expect(asked.map(({ searchParams }) => searchParams.get('allow_partial_search_results'))).toEqual(['false']);
  });

  it('is final where the question is wrong, in the words of the shard', async () => {
    const cause = { type: 'too_many_buckets_exception', reason: 'Trying to create too many buckets.' };
    answering(400, {
      error: { type: 'search_phase_execution_exception', reason: 'all shards failed', root_cause: [cause] },
    });
    await expect(answerMetric(search, panel, context)).rejects.toMatchObject({
      code: 'DashboardInvalid',
      message:
        'Elasticsearch refuses what shops-records asks (Trying to create too many buckets): choose a shorter time, or mend the panel.',
    });
    answering(503, { error: { type: 'search_phase_execution_exception', reason: 'Partial shards failure' } });
    await expect(answerMetric(search, panel, context)).rejects.toMatchObject({ code: 'ElasticsearchUnavailable' });
  });

  it('offers values that a filter takes, and says where there are more', async () => {
    const keys = ['', 'CA', 'x'.repeat(200), 'y'.repeat(201)];
    const buckets = (some: readonly string[]) => ({
      aggregations: { values: { buckets: some.map((key) => ({ key })) } },
    });
    answering(200, buckets(keys));
    expect(await valuesOf(search, 'shops', 'state')).toEqual({ values: keys.slice(1, 3) });
    answering(200, buckets(Array.from({ length: 501 }, (_, at) => `v${at}`)));
    const { values, more } = await valuesOf(search, 'shops', 'state');
    expect([values.length, more]).toEqual([500, true]);
  });
});
