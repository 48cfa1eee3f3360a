import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { createApi } from '../../src/client/api/server.ts';
import type { RejectedRow } from '../../src/inspecting/quarantine.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { noStack } from '../helpers/stack.ts';

const bad = ['=2+5,b,x', '3,c,-y', '4,d,@z', `5,e,${'w'.repeat(20_000)}`];

describe.skipIf(noStack)('rejected rows over HTTP', () => {
  let app: TestApp;
  let api: Api;
  let name: string;
  let hour: string;

  beforeAll(async () => {
    hour = await steadyHour();
    app = await TestApp.start();
    const { input, pipeline } = app.define();
    ({ name } = pipeline);
    app.serve(input, { body: ['id,kind,amount', '1,a,1.5', ...bad, ''].join('\n') });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    await app.client.runs.wait(workflowId);
    api = await createApi({ host: '127.0.0.1', hosts: [], rateLimit: 1_000, environment: app.environment });
  });

  afterAll(async () => {
    await api?.close();
    await app?.stop();
  });

  const get = async (path: string) => {
    const { statusCode: status, headers, body } = await api.inject({ url: `/quarantine/${path}` });
    return { status, headers, body, json: body.startsWith('{') ? (JSON.parse(body) as unknown) : undefined };
  };
  const page = async (query: string) =>
    (await get(`${name}/${hour.slice(0, 13)}?${query}`)).json as { total: number; rows: RejectedRow[] };

  it('are counted by hour, with what they were rejected for', async () => {
    expect((await get(name)).json).toEqual({
      hours: [
        { hour, cleanedAt: expect.any(String), rows: { read: 5, rejected: 4 }, rejectedBy: { 'amount type': 4 } },
      ],
    });
  });

  it('are of a pipeline that is known: by an hour that is stored, or by its schedule', async () => {
    const { status, json } = await get('nobody-has-run-this');
    expect([status, json]).toMatchObject([404, { code: 'PipelineUnknown' }]);
    expect((json as { detail: string }).detail).toMatch(
      /^No pipeline is called nobody-has-run-this: it has no schedule/,
    );
    // It has run, and another name has a schedule alone.
    // Long from now: none of its hours is started here.
    const { pipeline } = app.define({ schedule: { every: '1h', startAt: '2099-01-01T00:00:00Z' } });
    await app.client.schedules.apply(pipeline);
    expect((await get(pipeline.name)).json).toEqual({ hours: [] });
  });

  it('come in pages that together are all of them, once', async () => {
    const all = await page('limit=500');
    expect(all.total).toBe(4);
    expect(all.rows.map(({ raw, column, rule }) => [raw, column, rule])).toEqual(
      [...bad.slice(0, 3), `${bad[3]?.slice(0, 10_000)}…`].map((raw) => [raw, 'amount', 'type']),
    );
    const pages = await Promise.all([0, 1, 2, 3, 4].map((offset) => page(`offset=${offset}&limit=1`)));
    expect(pages.flatMap(({ rows }) => rows)).toEqual(all.rows);
    expect(pages.every(({ total }) => total === 4)).toBe(true);
  });

  it('go into a spreadsheet whole, and none as a formula', async () => {
    const { status, headers, body } = await get(`${name}/${hour.slice(0, 13)}/export.csv`);
    expect([status, headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(headers['content-disposition']).toBe(`attachment; filename="${name}-${hour.slice(0, 13)}-rejected.csv"`);
    const rows: Record<string, string>[] = parse(body, { columns: true, bom: true });
    expect(rows.map(({ value, raw }) => [value, raw])).toEqual([
      ['x', `'${bad[0]}`],
      ["'-y", bad[1]],
      ["'@z", bad[2]],
      ['w'.repeat(20_000), bad[3]],
    ]);
  });

  it.each(['', '/export.csv'])('are not there for an hour that was never cleaned: %s', async (end) => {
    const { status, json } = await get(`${name}/2020-01-01T00${end}`);
    expect([status, json]).toMatchObject([404, { code: 'HourUnknown' }]);
  });

  it('are said to be away with the store that has them', async () => {
    const alone = await createApi({
      ...{ host: '127.0.0.1', hosts: [], rateLimit: 1_000 },
      environment: { ...app.environment, SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1' },
    });
    for (const end of ['', '/2020-01-01T00', '/2020-01-01T00/export.csv']) {
      const { statusCode, body } = await alone.inject({ url: `/quarantine/${name}${end}` });
      expect([statusCode, JSON.parse(body)]).toMatchObject([503, { code: 'StoreUnavailable' }]);
    }
    await alone.close();
  });
});
