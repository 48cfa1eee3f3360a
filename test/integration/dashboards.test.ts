import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { parse, View, type Spec } from 'vega';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { createApi } from '../../src/client/api/server.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { subjectOf } from '../../src/dashboards/subject.ts';
import { states } from '../../src/dashboards/us.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { IndexLab, nth, type LabRow } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

interface Chart {
  readonly kind: 'chart';
  readonly spec: Spec;
  readonly table: { readonly columns: readonly { title: string }[]; readonly rows: readonly unknown[][] };
}

const wide = 'from=2026-11-01T00:00:00Z&to=now';
/** Nobody listens there: what panels say does not hang on Temporal. */
const away = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe.skipIf(noStack)('panels over HTTP on a real Elasticsearch', () => {
  let lab: IndexLab;
  let pipeline: Pipeline;
  let api: Api;
  let board: string;
  let panel: string;
  let index: string;

  beforeAll(async () => {
    const { environment } = await testStack();
    lab = new IndexLab(stageDeps(environment, `dashboards-${randomBytes(4).toString('hex')}`));
    await lab.deps.store.ensureBucket();
    pipeline = lab.definition({
      columns: {
        id: { name: 'id', required: true },
        state: { name: 'state' },
        amount: { name: 'amount', type: 'decimal' },
      },
      dashboards: { state: 'state', measures: ['amount'] },
    });
    ({ index } = subjectOf(pipeline));
    const rows = (from: number, states: readonly string[]): LabRow[] =>
      states.map((state, at) => ({ id: `r${from + at}`, state, amount: `${from + at}.250000` }));
    await lab.index(pipeline, nth(1), rows(0, ['CA', 'CA', 'TX', 'NY', 'NY', 'NY']));
    await lab.index(pipeline, nth(2), rows(100, ['CA', 'TX', 'TX', 'WA']));
    await lab.deps.search.client.indices.refresh({ index });
    api = await createApi({
      ...{ host: '127.0.0.1', hosts: [], rateLimit: 10_000, pipeline },
      environment: { ...environment, ...away },
    });
    board = `/dashboards/data-${pipeline.name}`;
    panel = `${board}/panels/${pipeline.name}-amount-by-state`;
  });

  afterAll(async () => {
    await api?.close();
    await lab?.deps.search.close();
  });

  const get = async <T>(url: string): Promise<T> => {
    const { statusCode, body } = await api.inject({ url });
    expect([statusCode, body]).toEqual([200, body]);
    return JSON.parse(body) as T;
  };

  /** The same by a query of its own: state, mean, count. */
  async function direct(from: string, to: string, only?: readonly string[]): Promise<unknown[][]> {
    const documents = Object.values(await lab.documents(index)).filter(
      ({ hour, state }) =>
        Date.parse(String(hour)) >= Date.parse(from) &&
        Date.parse(String(hour)) <= Date.parse(to) &&
        (only === undefined || only.includes(String(state))),
    );
    const byState = Map.groupBy(documents, ({ state }) => String(state));
    return [...byState]
      .map(([state, some]) => [
        states[state]?.[1],
        some.reduce((sum, { amount }) => sum + Number(amount), 0) / some.length,
        some.length,
      ])
      .toSorted(byName);
  }

  const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);
  const rowsOf = async (url: string): Promise<unknown[][]> => (await get<Chart>(url)).table.rows.toSorted(byName);

  it('lists what there is, as it is registered', async () => {
    const all = await get<{ id: string }[]>('/dashboards');
    const { id, title, filters, panels } = dataDashboard(pipeline);
    const one = all.find((dashboard) => dashboard.id === id);
    expect(one).toMatchObject({ id, title, filters, panels: panels.map((each) => ({ id: each.id, kind: each.kind })) });
    expect(await get(board)).toEqual(one);
  });

  it('offers the values that occur, sorted', async () => {
    expect(await get(`${board}/filters/state`)).toEqual({ values: ['CA', 'NY', 'TX', 'WA'] });
  });

  it('says in a table what its tooltips say, and that is what a direct query says', async () => {
    const { table } = await get<Chart>(`${panel}?${wide}`);
    expect(table.columns).toEqual([
      { title: 'State', numeric: false },
      { title: 'Mean amount', numeric: true },
      { title: 'Records in range', numeric: true },
    ]);
    expect(table.rows.toSorted(byName)).toEqual(await direct('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'));
    expect(table.rows).toHaveLength(4);
  });

  it('gives a chart that has a mark for each row, without a size of its own', async () => {
    const { spec } = await get<Chart>(`${panel}?${wide}`);
    expect(spec).not.toMatchObject({ width: expect.any(Number) });
    const view = await new View(parse(spec), { renderer: 'none' }).runAsync();
    const svg = await view.toSVG();
    view.finalize();
    for (const state of ['California', 'New York', 'Texas', 'Washington']) expect(svg).toContain(`State: ${state}`);
  });

  it('answers each panel that there is: a chart with a table, or a number', async () => {
    const { panels } = await get<{ panels: { id: string; kind: string }[] }>(board);
    expect(panels.length).toBeGreaterThan(5);
    for (const { id, kind } of panels) {
      const answer = await get<Chart | { kind: 'metric'; documents: number }>(`${board}/panels/${id}?${wide}`);
      const told = answer.kind === 'metric' ? answer.documents : Math.min(answer.table.rows.length, 1);
      expect([id, answer.kind, told]).toEqual([id, kind, kind === 'metric' ? 10 : 1]);
      // Shapes of maps are fetched once, and not sent with each answer.
      expect(JSON.stringify(answer).length).toBeLessThan(60_000);
    }
  });

  it('answers the panels of all runs, too', async () => {
    const { panels, filters } = await get<{ panels: { id: string; kind: string }[]; filters: { field: string }[] }>(
      '/dashboards/operations',
    );
    expect(panels.length).toBeGreaterThan(5);
    for (const { id, kind } of panels)
      expect(await get(`/dashboards/operations/panels/${id}?${wide}`)).toMatchObject({ kind });
    for (const { field } of filters)
      expect(await get(`/dashboards/operations/filters/${field}`)).toMatchObject({ values: expect.any(Array) });
  });

  it('compresses what is long, as the browser takes it', async () => {
    const url = `${panel}?${wide}`;
    const plain = await api.inject({ url });
    for (const [coding, open] of [
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ] as const) {
      const { headers, rawPayload } = await api.inject({ url, headers: { 'accept-encoding': coding } });
      expect(headers).toMatchObject({
        'content-encoding': coding,
        vary: 'accept-encoding',
        'cache-control': 'no-store',
      });
      expect(rawPayload.length).toBeLessThan(plain.rawPayload.length / 2);
      expect(open(rawPayload).toString()).toBe(plain.body);
    }
    const short = await api.inject({ url: board, headers: { 'accept-encoding': 'br' } });
    expect(short.headers).not.toHaveProperty('content-encoding');
  });

  it('asks Elasticsearch once for many who look at once', async () => {
    const { client } = lab.deps.search;
    const searches = async (): Promise<number> => {
      const { indices = {} } = await client.indices.stats({ index, metric: 'search' });
      return Object.values(indices).reduce((sum, { primaries }) => sum + (primaries?.search?.query_total ?? 0), 0);
    };
    const shards = Object.keys((await client.indices.stats({ index })).indices ?? {}).length;
    const before = await searches();
    const url = `${panel}?from=2026-11-02T00:00:00Z&to=now`;
    const all = await Promise.all(Array.from({ length: 20 }, () => get<Chart>(url)));
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
    expect((await searches()) - before).toBeLessThanOrEqual(shards);
  });

  it('shows what is let in alone: by time, by one value and by several', async () => {
    const [from, to] = [nth(2), nth(3)];
    expect(await rowsOf(`${panel}?from=${from}&to=${to}`)).toEqual(await direct(from, to));
    for (const only of [['CA'], ['CA', 'TX']]) {
      const query = only.map((state) => `filter.state=${state}`).join('&');
      const rows = await rowsOf(`${panel}?${wide}&${query}`);
      expect(rows).toEqual(await direct('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z', only));
      expect(rows).toHaveLength(only.length);
    }
    expect((await get<Chart>(`${panel}?${wide}&filter.state=ZZ`)).table.rows).toEqual([]);
    expect((await get<Chart>(`${panel}?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`)).table.rows).toEqual([]);
  });

  it.each([
    ['a field that nobody may filter by', `filter.amount=1`, /no parameter "filter.amount"/],
    ['a field of the server', `filter._index=x`, /no parameter/],
    ['a part of a query', `filter.state[terms]=x`, /no parameter/],
    ['a query', `query={"match_all":{}}`, /no parameter "query"/],
    ['an index', `index=_all`, /no parameter "index"/],
    ['a prototype', `constructor=x`, /no parameter/],
    ['a script for a time', `from=now-1h||/d{script}`, /from: is no time/],
    ['a time of no day', `from=2026-02-30T00:00:00Z`, /from: is no time/],
    ['a time that ends before it begins', `from=now&to=now-1h`, /ends before it begins/],
    ['an empty value', `filter.state=`, /1 to 200 characters/],
    ['too many values', Array.from({ length: 61 }, (_, at) => `filter.state=${at}`).join('&'), /more than 60 times/],
    ['another look', `mode=sepia`, /mode/],
  ])('refuses %s', async (_what, query, sentence) => {
    const { statusCode, body } = await api.inject({ url: `${panel}?${query}` });
    expect([statusCode, JSON.parse(body)]).toMatchObject([
      400,
      { code: 'RequestInvalid', detail: expect.stringMatching(sentence) },
    ]);
  });

  it('takes a value for a value, whatever it looks like', async () => {
    for (const value of [
      '*',
      '.*',
      '" OR 1=1',
      '{"match_all":{}}',
      '"}},{"match_all":{}}',
      '../_all',
      '\u0000',
      '😀',
    ]) {
      const { table } = await get<Chart>(`${panel}?${wide}&filter.state=${encodeURIComponent(value)}`);
      expect(table.rows).toEqual([]);
    }
  });

  it.each([
    ['/dashboards/data-nope', /no dashboard "data-nope"/],
    ['/dashboards/data-nope/panels/x', /no dashboard "data-nope"/],
    ['PANELS/x', /has no panel "x"; it has/],
    ['FILTERS/amount', /cannot be filtered by "amount"; it can by state/],
  ])('says of %s that it is not there', async (path, sentence) => {
    const url = path.replace('PANELS', `${board}/panels`).replace('FILTERS', `${board}/filters`);
    const { statusCode, body } = await api.inject({ url });
    expect([statusCode, JSON.parse(body)]).toMatchObject([
      404,
      { code: 'DashboardUnknown', detail: expect.stringMatching(sentence) },
    ]);
  });

  it('says one sentence where Elasticsearch is away, and the page still comes', async () => {
    const { environment } = await testStack();
    const alone = await createApi({
      ...{ host: '127.0.0.1', hosts: [], rateLimit: 10_000, pipeline },
      environment: { ...environment, ...away, SLUICE_ELASTICSEARCH_URL: 'http://127.0.0.1:1' },
    });
    try {
      const { statusCode, body } = await alone.inject({ url: panel });
      expect([statusCode, JSON.parse(body)]).toMatchObject([503, { code: 'ElasticsearchUnavailable' }]);
      expect((await alone.inject({ url: '/dashboard' })).statusCode).toBe(200);
      expect((await alone.inject({ url: '/dashboards' })).statusCode).toBe(200);
    } finally {
      await alone.close();
    }
  });
});
