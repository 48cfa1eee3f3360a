import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { indexedOfRuns, keysBelow, queryHour, readTopic, search, visibleHour } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';

const pipelines = join(import.meta.dirname, '..', '..', 'pipelines');

describe.skipIf(noStack)('the broadband pipeline, from the file to the documents', () => {
  let app: TestApp;
  let pipeline: Pipeline;
  let text: string;
  let first: RunReport;
  let hour: string;
  const rows = 32_735;

  /** Launches and waits, however the run ends. */
  async function run(options: { force?: boolean; refetch?: boolean } = {}): Promise<RunReport> {
    const launched = await app.client.runs.launch({ pipeline, hour, ...options });
    return launched.report ?? app.client.runs.result(launched.workflowId);
  }

  beforeAll(async () => {
    app = await TestApp.start();
    const shipped = await loadDefinition(join(pipelines, 'broadband.yaml'));
    text = await readFile(join(pipelines, 'data', 'broadband_data_zipcode.csv'), 'utf8');
    const { pipeline: own } = app.define();
    const { name } = own;
    pipeline = {
      ...shipped,
      name,
      source: { ...shipped.source, url: `${app.source}/${name}.csv` },
      publish: { ...shipped.publish, topic: name },
      index: { ...shipped.index, name },
    };
    app.serve(pipeline, { body: text });
    hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString().replace('.000Z', 'Z');
    first = await run();
  });

  afterAll(async () => {
    await app?.stop();
  });

  it('accounts for every row', () => {
    const [main, states] = first.equations;
    const end = { clean: rows, published: rows, landed: rows, indexed: rows };
    expect(main).toMatchObject({ holds: true, rows: { read: rows, duplicates: 0, filtered: 0, rejected: 0, ...end } });
    expect(states).toMatchObject({ dataset: 'by_state', holds: true, rows: { read: 51, indexed: 51 } });
    expect(first.stages.map(({ stage }) => stage)).toEqual([
      ...['prepare', 'import', 'clean', 'save', 'quality', 'publish', 'land', 'commit', 'index', 'reconcile'],
    ]);
  });

  it('is in the index of runs, with the numbers of its report', async () => {
    const { runId, pipeline: name } = first;
    const found = await indexedOfRuns(app.environment, { runId });
    const of = (kind: string) => found.filter((document) => document['kind'] === kind);
    expect(of('run')).toMatchObject([{ pipeline: name, outcome: 'completed', rows, lag: 0, doneHour: hour }]);
    const stages = of('stage').toSorted((a, b) => Number(a['position']) - Number(b['position']));
    expect(stages.map(({ stage, ms, rows: counted }) => [stage, ms, counted])).toEqual(
      first.stages.map(({ stage, ms, rows: counted }) => [stage, ms, counted]),
    );
    expect(of('dataset').map(({ dataset, holds, indexed }) => [dataset, holds, indexed])).toEqual(
      first.equations.map(({ dataset, holds, rows: { indexed } }) => [dataset, holds, indexed]),
    );
    // Filled again it is the same.
    const filled = await app.cli(['dashboards', 'fill', name, '--json']);
    expect(JSON.parse(filled.out)).toMatchObject({ reports: 1, documents: found.length, unreadable: [] });
    const again = await indexedOfRuns(app.environment, { runId });
    expect(new Set(again.map((document) => JSON.stringify(document)))).toEqual(
      new Set(found.map((document) => JSON.stringify(document))),
    );
  });

  it('lands what DuckDB reads back from the source itself', async () => {
    const [landed] = await queryHour(
      app.environment,
      pipeline.name,
      hour,
      `SELECT count(*)::INTEGER AS n, sum(usage)::VARCHAR AS usage, count(DISTINCT state)::INTEGER AS states,
        count(*) FILTER (zip LIKE '0%')::INTEGER AS zeros, count(latitude)::INTEGER AS placed, count(DISTINCT usage_band)::INTEGER AS bands FROM t`,
    );
    // Column 5 of the file, in ten-thousandths: the sum that any spreadsheet gives.
    const lines = text
      .split(/\r?\n/)
      .slice(1)
      .filter((line) => line !== '');
    const fields = lines.map(
      (line) => line.match(/("[^"]*"|[^,]*)(,|$)/g)?.map((field) => field.replace(/,$/, '').replace(/"/g, '')) ?? [],
    );
    const sum = fields.reduce((total, row) => total + Math.round(Number(row[4]) * 10_000), 0);
    expect(lines).toHaveLength(rows);
    expect(landed).toMatchObject({ n: rows, states: 51, bands: 5, usage: (sum / 10_000).toFixed(4) });
    expect(landed?.['zeros']).toBe(fields.filter((row) => (row[3] ?? '').length < 5).length);
    expect(landed?.['placed']).toBeGreaterThan(30_000);
  });

  it('indexes what Elasticsearch counts, 51 states among them', async () => {
    expect(await search(app.environment, `${pipeline.name}/_count`)).toMatchObject({ count: rows });
    const answer = await search(app.environment, `${pipeline.name}/_search`, {
      size: 0,
      aggs: { states: { terms: { field: 'state', size: 100 } } },
    });
    const { states } = answer['aggregations'] as { states: { buckets: { doc_count: number }[] } };
    expect(states.buckets).toHaveLength(51);
    expect(states.buckets.reduce((sum, bucket) => sum + bucket.doc_count, 0)).toBe(rows);
  });

  it('keeps a leading zero in the topic, the objects and the index', async () => {
    // A batch's end marker is the one record without a key.
    const records = (await readTopic(app.environment, pipeline.name)).filter(({ key }) => key !== '');
    expect(records).toHaveLength(rows);
    const inTopic = records.filter(({ value }) => value?.includes('"zip":"01001"'));
    const inObjects = await queryHour(
      app.environment,
      pipeline.name,
      hour,
      `SELECT zip, county_id FROM t WHERE zip = '01001'`,
    );
    const inIndex = await search(app.environment, `${pipeline.name}/_search`, { query: { term: { zip: '01001' } } });
    expect(inTopic).toHaveLength(1);
    expect(inObjects).toEqual([{ zip: '01001', county_id: '25013' }]);
    expect(inIndex).toMatchObject({ hits: { total: { value: 1 } } });
  });

  it('joins an hour that is done, and changes nothing when it is forced', async () => {
    const before = await keysBelow(app.environment, `landing/${pipeline.name}/`);
    const documents = async () => {
      const found = await search(app.environment, `${pipeline.name}/_search`, {
        size: 5,
        sort: ['zip', 'county_id'],
        version: true,
      });
      return (found as { hits: { hits: unknown[] } }).hits.hits;
    };
    const documentsBefore = await documents();
    expect(await app.client.runs.launch({ pipeline, hour })).toMatchObject({
      outcome: 'joined',
      report: { runId: first.runId },
    });
    const again = await run({ force: true });
    expect(again.runId).not.toBe(first.runId);
    expect(again.batches).toEqual(first.batches);
    expect(again.generations).toEqual(first.generations);
    expect(again.source?.replayed).toBe(true);
    expect(await keysBelow(app.environment, `landing/${pipeline.name}/`)).toEqual(before);
    expect(await search(app.environment, `${pipeline.name}/_count`)).toMatchObject({ count: rows });
    expect((await documents()).map((hit) => (hit as { _id: string })._id)).toEqual(
      documentsBefore.map((hit) => (hit as { _id: string })._id),
    );
  });

  it('takes a changed value and a removed row into a new generation, when the source is asked again', async () => {
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.startsWith('MA,Hampden,25013,1001,'));
    const [changed, removed] = [lines[at] ?? '', lines[at + 1] ?? ''];
    const other = lines
      .with(
        at,
        changed.replace(/^(([^,"]|"[^"]*")*,){4}[^,]*/, (head) => head.replace(/[^,]*$/, '0.1234')),
      )
      .filter((line) => line !== removed);
    app.serve(pipeline, { body: other.join('\n') });
    const again = await run({ refetch: true });
    expect(again.equations[0]).toMatchObject({ holds: true, rows: { read: rows - 1, indexed: rows - 1 } });
    expect(again.generations['main']).toBe(2);
    const { hourRecord, batch } = await visibleHour(app.environment, pipeline.name, hour);
    expect(hourRecord).toMatchObject({ generation: 2, batch: again.batches['main'] });
    expect(batch.rows).toBe(rows - 1);
    const [landed] = await queryHour(
      app.environment,
      pipeline.name,
      hour,
      `SELECT usage::VARCHAR AS usage FROM t WHERE zip = '01001'`,
    );
    expect(landed).toEqual({ usage: '0.1234' });
    await search(app.environment, `${pipeline.name}/_refresh`, {});
    expect(await search(app.environment, `${pipeline.name}/_count`)).toMatchObject({ count: rows - 1 });
    const old = await search(app.environment, `${pipeline.name}/_search`, {
      query: { range: { generation: { lt: 2 } } },
    });
    expect(old).toMatchObject({ hits: { total: { value: 0 } } });
  });
});
