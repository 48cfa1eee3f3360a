import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { ReportSoFar } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { noStack } from '../helpers/stack.ts';
import { TraceCollector, type ToldSpan } from '../helpers/trace-collector.ts';

const planted = 'planted-hunter2-and-some-more';

describe.skipIf(noStack)('the trace of a run on real servers', () => {
  let app: TestApp | undefined;
  let collector: TraceCollector;
  let pipeline: Pipeline;
  let report: ReportSoFar | undefined;
  let ours: ToldSpan[] = [];
  let ways: string[] = [];
  let printed = '';
  let said = '';

  const inputOf = ({ name }: Pipeline) => ({
    ...{ name, key: ['id'], land: { type: 'kind' }, publish: { partitions: 1 } },
    source: {
      url: `${app?.source}/${name}.csv`,
      headers: { authorization: 'Bearer ${secret:FEED}' },
      query: { key: '${secret:FEED}' },
    },
    columns: { id: { name: 'id', required: true }, kind: { name: 'kind' } },
  });

  beforeAll(async () => {
    collector = await TraceCollector.start();
    app = await TestApp.start((source) => ({
      ...{ SLUICE_SECRET_FEED: planted, SLUICE_SECRET_FEED_HOSTS: source },
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${planted}`,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      SLUICE_TRACE_URL: 'http://127.0.0.1:16686/trace/{traceId}',
      SLUICE_LOG_FORMAT: 'json',
      SLUICE_LOG_LEVEL: 'info',
    }));
    ({ pipeline } = app.define());
    const body = 'id,kind\n1,a\n2,b\n3,b\n4,b\n';
    const asked = `/${pipeline.name}.csv?key=${planted}`;
    app.files.set(asked, { body });
    const hour = '2026-11-24T03';
    const run = await app.cli(['run', await app.definitionFile(inputOf(pipeline)), '--hour', hour, '--use-current']);
    said = run.err;
    report = await app.client.runs.report(pipeline.name, `${hour}:00:00Z`);
    printed = (await app.cli(['report', hour, '--pipeline', pipeline.name])).out;
    for (let tries = 0; tries < 50 && !collector.named('RunWorkflow:pipeline').length; tries += 1) await wait(200);
    ours = collector.spans.filter(({ trace }) => trace === report?.trace);
    ways = ours.map((span) => collector.wayTo(span).join(' > '));
  });

  afterAll(async () => {
    await app?.stop();
    await collector?.stop();
  });

  const stage = 'StartWorkflow:launch > RunWorkflow:launch > RunWorkflow:pipeline > stage';

  it('leads from the client down to the requests of each stage', () => {
    expect(report?.outcome).toBe('completed');
    expect(said).not.toContain('Traces');
    expect(ways).toContain(`${stage} import > RunActivity:importSource > GET 127.0.0.1`);
    expect(ways).toContain(`${stage} import > RunActivity:importSource > PutObject`);
    expect(ways).toContain(`${stage} publish > RunActivity:publish > send ${pipeline.name}`);
    const bulk = ways.find((way) => way.startsWith(`${stage} index > RunActivity:indexBatch > bulk `));
    expect(bulk).toBeDefined();
    const request = ours.find(({ name }) => name.startsWith('bulk sluice-'));
    expect(request?.attributes).toMatchObject({ 'db.operation.batch.size': '4', 'sluice.documents.refused': '0' });
    // One beginning, and nothing that hangs in the air.
    expect(ours.filter(({ parent }) => parent === '').map(({ name }) => name)).toEqual(['StartWorkflow:launch']);
    expect(ways.filter((way) => !way.startsWith('StartWorkflow:launch'))).toEqual([]);
    expect(ours.find(({ name }) => name === 'RunActivity:importSource')?.resource).toMatchObject({
      'service.name': 'sluice',
    });
  });

  it('goes on behind Kafka: what was landed is within what was sent, and linked to it', () => {
    const landed = ours.filter(({ name }) => name === `process ${pipeline.name}`);
    expect(landed.length).toBeGreaterThan(0);
    const rows = landed.map(({ attributes }) => Number(attributes['sluice.rows.landed'] ?? 0));
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(4);
    for (const span of landed) {
      expect(collector.wayTo(span).join(' > ')).toBe(
        `${stage} publish > RunActivity:publish > send ${pipeline.name} > process ${pipeline.name}`,
      );
      const sends = span.links.map(({ id }) => ours.find((one) => one.id === id)?.name);
      expect(new Set(sends)).toEqual(new Set([`send ${pipeline.name}`]));
    }
    expect(ways).toContain(
      `${stage} publish > RunActivity:publish > send ${pipeline.name} > process ${pipeline.name} > PutObject`,
    );
  });

  it('stands in the run’s report, with the link', () => {
    expect(printed).toContain(`trace ${report?.trace}  http://127.0.0.1:16686/trace/${report?.trace}`);
  });

  it('holds no secret', () => {
    expect(collector.bodies.length).toBeGreaterThan(1);
    const secrets = ['SLUICE_S3_SECRET_KEY', 'SLUICE_ELASTICSEARCH_API_KEY'].map((name) => app?.environment[name]);
    for (const secret of [planted, ...secrets.filter(Boolean)]) {
      for (const body of collector.bodies) expect(body).not.toContain(secret);
    }
  });

  it('stands in the lines that workers log meanwhile', async () => {
    const log = await readFile(join(app?.folder ?? '', 'worker.log'), 'utf8');
    const lines = log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, string>);
    const attempt = ours.find(({ name }) => name === 'RunActivity:importSource');
    const begins = lines.find(({ stage, msg, run }) => stage === 'import' && msg === 'begins' && run === report?.runId);
    expect(begins).toMatchObject({ trace_id: report?.trace, span_id: attempt?.id });
    expect(log).not.toContain(planted);
  });
});
