import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/definition/log-record.ts';
import { metrics } from '../../src/definition/metrics.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { TestApp } from '../helpers/app.ts';
import { noPromtool, promtool, samplesOf, type Sample } from '../helpers/promtool.ts';
import { noStack } from '../helpers/stack.ts';

/** What Elasticsearch would write, a warning a second for some minutes to come. */
function warnings(from: Date): string {
  const lines = Array.from({ length: 400 }, (_, n) => {
    const at = new Date(from.getTime() + n * 1_000 - from.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
    return `[${at},000][WARN ][o.e.c.r.a.DiskThresholdMonitor] [sluice-1] high disk watermark exceeded\n`;
  });
  return lines.join('');
}

describe.skipIf(noStack)('the metrics and the log of a worker', () => {
  let app: TestApp | undefined;
  let contentType: string | null;
  let folder = '';
  let report: RunReport | undefined;
  let scrape = '';
  let samples: Sample[] = [];
  let pipeline = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-said-'));
    await writeFile(join(folder, 'elasticsearch.log'), warnings(new Date()));
    const logs = { SLUICE_LOG_DIR: join(folder, 'workers'), SLUICE_SERVER_LOGS: folder };
    app = await TestApp.start({ SLUICE_WORKER_METRICS: '0', ...logs });
    const { pipeline: definition } = app.define();
    pipeline = definition.name;
    app.serve(definition, { body: 'id,kind,amount\n1,a,1.5\n2,b,2.5\n2,b,2.5\n3,b,none\n' });
    report = await app.client.runs.result((await app.client.runs.launch({ pipeline: definition })).workflowId);
    const response = await fetch(app.worker.metrics ?? '');
    contentType = response.headers.get('content-type');
    scrape = await response.text();
    samples = samplesOf(scrape);
  });

  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const value = (name: string, labels: Readonly<Record<string, string>>): number | undefined =>
    samples.find(
      (sample) =>
        sample.name === name &&
        Object.entries({ pipeline, ...labels }).every(([label, text]) => sample.labels[label] === text),
    )?.value;

  it('are where the worker says that they are, as Prometheus wants them', async () => {
    const said = await readFile(join(app?.folder ?? '', 'worker.log'), 'utf8');
    expect(app?.worker.metrics).toBe(/; metrics at (http:\/\/127\.0\.0\.1:\d+\/metrics);/.exec(said)?.[1]);
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('tell of each row where it went', () => {
    const rows = (stage: string, outcome: string): number | undefined =>
      value('sluice_rows_total', { dataset: 'main', stage, outcome });
    expect(rows('import', 'parsed')).toBe(4);
    expect([rows('clean', 'clean'), rows('clean', 'duplicate'), rows('clean', 'rejected')]).toEqual([2, 1, 1]);
    expect([rows('publish', 'published'), rows('land', 'landed'), rows('index', 'indexed')]).toEqual([2, 2, 2]);
    expect(value('sluice_bulk_documents_total', { outcome: 'written' })).toBe(2);
    expect(value('sluice_runs_total', { outcome: 'completed' })).toBe(1);
    expect(value('sluice_runs_total', { outcome: 'failed' })).toBe(0);
    expect(value('sluice_equations_total', { dataset: 'main', outcome: 'holds' })).toBe(1);
    expect(value('sluice_consumer_lag_records', { shard: '0' })).toBe(0);
    expect(value('sluice_stage_duration_seconds_count', { stage: 'publish' })).toBe(1);
    expect(value('sluice_chunk_size_bytes_sum', {})).toBeGreaterThan(0);
  });

  it('are the SDK’s and those that are declared', () => {
    const told = [...scrape.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', kind]) => ({ name, kind }));
    const ours = told.filter(({ name }) => name.startsWith('sluice_'));
    expect(told.some(({ name }) => name === 'temporal_activity_schedule_to_start_latency_seconds')).toBe(true);
    const declared = new Map(Object.entries(metrics).map(([name, { kind }]) => [name, kind]));
    expect(ours.filter(({ name, kind }) => declared.get(name) !== kind)).toEqual([]);
    // Incidents, retries and failures are of other runs.
    const missing = [...declared.keys()].filter((name) => !ours.some((one) => one.name === name));
    const rare = /incidents|retries|failures|schedule_/;
    expect(missing.filter((name) => !rare.test(name))).toEqual([]);
  });

  it.skipIf(noPromtool)('leave Prometheus’ own linter without a word', async () => {
    expect(await promtool(['check', 'metrics'], scrape)).toEqual({ code: 0, said: '' });
  });

  it('say of a run what its stages did, by its id alone, and what a server warned of', async () => {
    const { runId = '', hour = '', workflowId = '' } = report ?? {};
    const said = await app?.cli(['logs', runId, '--level', 'info', '--json']);
    const { lines, events } = JSON.parse(said?.out ?? '') as { lines: LogRecord[]; events: unknown[] };
    expect(events.length).toBeGreaterThan(10);
    const begun = lines.filter(({ msg }) => msg === 'begins');
    const stages = ['prepare', 'import', 'clean', 'publish', 'commit', 'index', 'reconcile', 'report'];
    expect(new Set(begun.map(({ stage }) => stage))).toEqual(new Set(stages));
    const whose = { pipeline, hour, workflowId, run: runId, attempt: 1, level: 'info' };
    expect(begun.filter((line) => !isDeepStrictEqual({ ...line, ...whose }, line))).toEqual([]);

    const followed = await app?.cli(['logs', runId, '--level', 'info', '--follow', '--json']);
    const came = (followed?.out ?? '').trim().split('\n');
    expect(came.filter((line) => (JSON.parse(line) as { kind: string }).kind === 'worker')).toHaveLength(lines.length);

    const warned = await app?.cli(['logs', workflowId, '--server', 'elasticsearch']);
    expect(warned?.out).toMatch(/^\d{4}-\d\d-\d\d [\d:.]{12} {2}WARN {3}\[o\.e\.c\.r\.a\.DiskThresholdMonitor\]/);
  });

  it('stand in the run’s report, as far as servers warned meanwhile', async () => {
    const { hour = '', runId = '' } = report ?? {};
    const stored = await app?.client.runs.report(pipeline, hour, { runId });
    const [warned, ...others] = stored?.servers ?? [];
    expect(others).toEqual([]);
    expect(warned?.lines[0]).toMatchObject({ server: 'elasticsearch', level: 'warn' });
    expect(warned?.lines.filter(({ at }) => at < (report?.startedAt.slice(0, 19) ?? ''))).toEqual([]);
    expect(report?.servers).toBeUndefined();
  });
});
