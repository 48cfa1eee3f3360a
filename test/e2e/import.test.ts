import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PART_BYTES } from '../../src/stages/importing/raw-writer.ts';
import { TestApp } from '../helpers/app.ts';
import { queryHour, search } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';

const naughty = (
  JSON.parse(readFileSync(createRequire(import.meta.url).resolve('big-list-of-naughty-strings'), 'utf8')) as string[]
).filter((text) => !text.includes('\0'));

describe.skipIf(noStack)('an import, from end to end', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
  });
  afterAll(async () => {
    await app?.stop();
  });

  it('carries naughty strings to Parquet and Elasticsearch as they were', async () => {
    const { pipeline } = app.define({
      columns: {
        id: { name: 'id', required: true },
        text: { name: 'text', trim: false, missing: [] },
      },
      land: {},
      publish: { partitions: 1 },
    });
    const lines = naughty.map((text, at) => `${at},"${text.replaceAll('"', '""')}"`);
    app.serve(pipeline, { body: ['id,text', ...lines].join('\r\n') });
    const { workflowId, hour } = await app.client.runs.launch({ pipeline });
    const report = await app.client.runs.result(workflowId);
    expect(report.equations[0]?.rows).toMatchObject({
      read: naughty.length,
      clean: naughty.length,
      indexed: naughty.length,
    });

    const landed = await queryHour(
      app.environment,
      pipeline.name,
      hour,
      'SELECT hex(text) AS hex FROM t ORDER BY CAST(id AS INTEGER)',
    );
    expect(landed.map(({ hex }) => Buffer.from(String(hex), 'hex').toString())).toEqual(naughty);
    const found = await search(app.environment, `sluice-${pipeline.name}/_search`, {
      size: 1_000,
      query: { match_all: {} },
    });
    const { hits } = found['hits'] as { hits: { _source: { id: string; text: string } }[] };
    const indexed = hits
      .toSorted((a, b) => Number(a._source.id) - Number(b._source.id))
      .map(({ _source }) => _source.text);
    expect(indexed).toEqual(naughty);
  });

  it('runs what init has written, as it is', async () => {
    const { pipeline } = app.define();
    app.serve(pipeline, {
      body: Buffer.from(
        'Liste der Orte;;\nPLZ;Größe;Stand\n01067;1.234,5;2026-11-01\n10115;12,0;-\nkaputt\n',
        'latin1',
      ),
    });
    const file = join(app.folder, 'made.yaml');
    const made = await app.cli(['init', `${app.source}/${pipeline.name}.csv`, '--out', file, '--name', pipeline.name]);
    expect(made).toMatchObject({ code: 0 });
    expect(await app.cli(['validate', file])).toMatchObject({ code: 0 });
    const ran = await app.cli(['run', file, '--json']);
    expect(JSON.parse(ran.out)).toMatchObject({
      holds: true,
      rows: { read: 3, clean: 2, rejected: 1, indexed: 2 },
      source: {
        files: [{ rows: { read: 3, parsed: 2, rejected: 1 }, format: 'windows-1252, delimiter ";", header on line 2' }],
      },
      clean: { rejectedBy: { 'row width': 1 } },
    });
    const { hour } = JSON.parse(ran.out) as { hour: string };
    const landed = await queryHour(
      app.environment,
      pipeline.name,
      hour,
      'SELECT plz, grosse, stand FROM t ORDER BY plz',
    );
    expect(landed).toMatchObject([{ plz: '01067' }, { plz: '10115', stand: null }]);
  });

  it('goes on with a download that a killed worker had begun', async () => {
    const rows = Array.from({ length: 900_000 }, (_, at) => `r${at},kind of ${at % 5},${at}.5`);
    const body = Buffer.from(['id,kind,amount', ...rows].join('\n'));
    expect(body.length).toBeGreaterThan(PART_BYTES + 1_000_000);
    const ranges: (string | undefined)[] = [];
    const { pipeline } = app.define({
      land: {},
      publish: { partitions: 1 },
      filter: { column: 'amount', is: 'lt', value: 100 },
    });
    app.serve(pipeline, {
      body: '',
      handler: (request, response) => {
        ranges.push(request.headers.range);
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        response.setHeader('etag', '"v1"').setHeader('content-length', body.length - from);
        if (from > 0) response.setHeader('content-range', `bytes ${from}-${body.length - 1}/${body.length}`);
        response.writeHead(from > 0 ? 206 : 200);
        if (from > 0) response.end(body.subarray(from));
        // The first time, the source hangs a little behind the first part.
        else response.write(body.subarray(0, PART_BYTES + 500_000));
      },
    });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    for (
      let tries = 0;
      !Object.values(await app.client.runs.notes(workflowId).catch(() => ({}))).some((note) =>
        /fetched 1[67]\d{6}/.test(String(note)),
      );
      tries++
    ) {
      if (tries > 900) throw new Error('the first part was never told of');
      await wait(100);
    }
    // The heartbeat that names the part is on its way for two seconds at most.
    await wait(5_000);
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    await app.restartWorker();
    const report = await app.client.runs.result(workflowId);
    expect(ranges).toEqual([undefined, `bytes=${PART_BYTES}-`]);
    expect(report.source?.notes).toEqual([expect.stringContaining(`resumed at byte ${PART_BYTES}`)]);
    expect(report.equations[0]).toMatchObject({ holds: true, rows: { read: 900_000, clean: 100, filtered: 899_900 } });
  });
});
