import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { logAttempts } from '../../src/activities/log-attempts.ts';
import { measuredConsumer } from '../../src/activities/measured-consumer.ts';
import { tellResult } from '../../src/activities/measured-results.ts';
import { measureActivities } from '../../src/activities/measuring.ts';
import { MeteredMetrics, type Metrics } from '../../src/connectors/metrics.ts';
import { bareName, histogramBuckets, labels, metrics, type MetricName } from '../../src/definition/metrics.ts';
import { pipelineOfWorkflow } from '../../src/definition/stage-of-activity.ts';
import { measuredBulk } from '../../src/stages/indexing/measured-bulk.ts';
import { metricsEndpoint } from '../../src/workers/metrics-endpoint.ts';
import { OpenIncidents, openIncidents, SampledSchedules } from '../../src/workers/sampling.ts';
import { noPromtool, promtool } from '../helpers/promtool.ts';

const home = join(import.meta.dirname, '..', '..');
const names = Object.keys(metrics) as MetricName[];
const read = (file: string): Promise<string> => readFile(join(home, file), 'utf8');

/** What was told, as `name{labels} value`, in order. */
function recorded(): { readonly told: string[]; readonly metrics: Metrics } {
  const told: string[] = [];
  const tell = (name: string, value: number, of: Readonly<Record<string, string>>): void => {
    const pairs = Object.entries(of).map(([label, text]) => `${label}=${text}`);
    told.push(`${name}{${pairs.join(',')}} ${value}`);
  };
  return { told, metrics: { add: tell, observe: tell, set: tell } };
}

describe('the declaration of metrics', () => {
  it.each(names)('%s is called as Prometheus wants it', (name) => {
    const { kind, help } = metrics[name];
    expect(name).toMatch(/^sluice_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(kind !== 'histogram' || /_(seconds|bytes|rows)$/.test(name)).toBe(true);
    expect(help).toMatch(/^[A-Z].*\.$/);
    const { name: bare, unit } = bareName(name);
    expect([bare, ...(unit ? [unit] : []), ...(kind === 'counter' ? ['total'] : [])].join('_')).toBe(name);
  });

  it('has no label that an hour, a run or a text from outside could be in', () => {
    const used = new Set(names.flatMap((name) => [...metrics[name].labels]));
    expect([...used].toSorted()).toEqual(Object.keys(labels).toSorted());
  });

  it('has buckets for each histogram, rising', () => {
    const buckets = Object.values(histogramBuckets());
    expect(buckets).toHaveLength(names.filter((name) => metrics[name].kind === 'histogram').length);
    for (const ends of buckets) expect(ends).toEqual([...new Set(ends)].toSorted((a, b) => a - b));
  });

  it('stands in docs/metrics.md, line by line', async () => {
    const written = (await read('docs/metrics.md')).split('\n').filter((line) => line.startsWith('| `sluice_'));
    const cells = written.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    expect(cells).toEqual(
      names.map((name) => {
        const { kind, help, labels: of } = metrics[name];
        return [`\`${name}\``, kind, of.map((label) => `\`${label}\``).join(', '), help];
      }),
    );
    const page = await read('docs/metrics.md');
    for (const [label, what] of Object.entries(labels)) expect(page).toContain(`- \`${label}\`: ${what}`);
  });
});

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[];
  }[];
}
const ruleFiles = ['recording', 'alerts', 'instead-of-sluice'].map((name) => `deploy/prometheus/${name}.yml`);
const rules = await Promise.all(ruleFiles.map(async (file) => parse(await read(file)) as Rules)).then((files) =>
  files.flatMap(({ groups }) => groups.flatMap((group) => group.rules)),
);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(await read('deploy/grafana/sluice.json')) as {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
};
const asked = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** Names in an expression that are neither ours, nor the SDK's, nor recorded by our rules. Words before a bracket are PromQL's own. */
function unknownIn(expr: string): string[] {
  const series = names.flatMap((name) =>
    metrics[name].kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  );
  const records = rules.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const found = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(by|on|without)\s*\([^)]*\)/g, ' ')
    .match(/\b[a-z_][\w:]*\b(?!\s*\()/gi);
  const promql = new Set([...['and', 'or', 'unless', 'offset', 'by', 'on'], ...['sum', 'max', 'min'], 'le', 'h']);
  return (found ?? []).filter((word) => {
    if (promql.has(word) || word === 'up' || word === 'temporal_worker_task_slots_available') return false;
    return !series.includes(word) && !records.includes(word);
  });
}

describe('rules and dashboard', () => {
  it('ask for nothing that nobody tells', () => {
    const expressions = [...rules, ...asked].map(({ expr }) => expr);
    expect(expressions.length).toBeGreaterThan(30);
    expect(expressions.flatMap(unknownIn)).toEqual([]);
    // It would see one.
    expect(unknownIn('sum by (a) (rate(sluice_row_total{b="c"}[5m])) > 3')).toEqual(['sluice_row_total']);
  });

  it('use labels that the metrics have', () => {
    for (const { expr } of [...rules, ...asked]) {
      for (const [, name = '', matchers = ''] of expr.matchAll(
        /(sluice_[a-z_]+?)(?:_bucket|_sum|_count)?\{([^}]*)\}/g,
      )) {
        if (!Object.hasOwn(metrics, name)) continue;
        const has: readonly string[] = metrics[name as MetricName].labels;
        const asks = [...matchers.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)].map(([, label = '']) => label);
        expect(asks.filter((label) => !has.includes(label))).toEqual([]);
      }
    }
  });

  it('fill a dashboard whose panels lie side by side', () => {
    const { panels, templating, uid } = dashboard;
    expect(uid).toBe('sluice');
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'pipeline']);
    const taken = new Set<string>();
    for (const { gridPos, type, targets, title } of panels) {
      expect({ title, wide: gridPos.x + gridPos.w > 24, empty: type !== 'row' && targets === undefined }).toEqual({
        ...{ title, wide: false, empty: false },
      });
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  describe.skipIf(noPromtool)('for promtool', () => {
    it('are sound, and do what their tests say', async () => {
      const files = ruleFiles.map((file) => join(home, file));
      expect(await promtool(['check', 'rules', '--lint-fatal', ...files])).toMatchObject({ code: 0 });
      expect(await promtool(['check', 'config', join(home, 'deploy/prometheus/prometheus.yml')])).toMatchObject({
        code: 0,
      });
      const tested = await promtool(['test', 'rules', join(home, 'deploy/prometheus/tests.yml')]);
      expect(tested.said).toContain('SUCCESS');
      expect(tested.code).toBe(0);
    });

    it('hold PromQL in each panel', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-rules-'));
      try {
        const file = join(folder, 'panels.yml');
        const recorded = asked.map(({ expr }, at) => ({
          record: `panel${at}`,
          expr: expr.replaceAll('$pipeline', '.*'),
        }));
        await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: recorded }] }));
        const { code, said } = await promtool(['check', 'rules', file]);
        expect(said).toContain(`${asked.length} rules found`);
        expect(code).toBe(0);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});

describe('what is told of an attempt', () => {
  const info = {
    activityType: 'commitHour',
    attempt: 2,
    currentAttemptScheduledTimestampMs: Date.now(),
    workflowExecution: { workflowId: 'pipeline/measured/2026-11-24T03:00:00Z' },
  };
  const attempt = async (work: () => Promise<unknown>, other: object = {}): Promise<string[]> => {
    const { told, metrics: to } = recorded();
    const { inbound } = measureActivities(to)({ info: { ...info, ...other } } as unknown as Context);
    await inbound?.execute?.({ args: [{}], headers: {} }, work).catch(() => {});
    return told.filter(
      (line) => !line.startsWith('sluice_attempt_duration') && !line.startsWith('sluice_attempt_queue'),
    );
  };

  it('is how it ended, and with which code', async () => {
    const first = await attempt(async () => ({}));
    // The series of runs begin before the first is over: its failure would be invisible to increase() otherwise.
    expect(first.filter((line) => line.startsWith('sluice_runs_total'))).toHaveLength(4);
    expect(first.slice(4)).toEqual([
      'sluice_retries_total{pipeline=measured,stage=commit} 1',
      'sluice_attempts_total{pipeline=measured,stage=commit,outcome=completed} 1',
    ]);
    const refuse = (error: Error) => () => Promise.reject(error);
    expect(await attempt(refuse(ApplicationFailure.create({ type: 'StoreUnavailable' })), { attempt: 1 })).toEqual([
      'sluice_attempts_total{pipeline=measured,stage=commit,outcome=failed} 1',
      'sluice_attempt_failures_total{pipeline=measured,stage=commit,code=StoreUnavailable} 1',
    ]);
    expect(await attempt(refuse(new CancelledFailure('')), { attempt: 1 })).toEqual([
      'sluice_attempts_total{pipeline=measured,stage=commit,outcome=cancelled} 1',
    ]);
    expect(await attempt(refuse(ApplicationFailure.create({ type: 'WorkerShutdown' })), { attempt: 1 })).toEqual([
      'sluice_attempts_total{pipeline=measured,stage=commit,outcome=handed-over} 1',
    ]);
  });

  it('is never why it fails: a stage that has done its work has', async () => {
    const warned: unknown[] = [];
    const log = { warn: (...said: unknown[]) => warned.push(said) };
    const refuse = (): never => {
      throw new Error('MetricCounter value must be non-negative (got -1)');
    };
    const { inbound } = measureActivities({ add: refuse, observe: refuse, set: refuse })({
      ...{ info, log },
    } as unknown as Context);
    const run = (work: () => Promise<unknown>) => inbound?.execute?.({ args: [{}], headers: {} }, work);
    expect(await run(async () => ({ done: true }))).toEqual({ done: true });
    expect(warned).toHaveLength(2);
    expect(warned[1]).toMatchObject([expect.any(String), { error: expect.stringContaining('got -1') as string }]);
    await expect(run(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
  });

  it('is nothing of what looks and waits, or of workflows with ids of any text', async () => {
    expect(await attempt(async () => ({}), { activityType: 'findSlots' })).toEqual([]);
    expect(await attempt(async () => ({}), { workflowExecution: { workflowId: 'launch/any text' } })).toEqual([]);
    expect(pipelineOfWorkflow('consumer/broadband.by-state/3')).toBe('broadband');
    expect(pipelineOfWorkflow('maintenance/broadband')).toBe('broadband');
    expect(pipelineOfWorkflow('slot/1')).toBeUndefined();
  });
});

describe('what is told of results', () => {
  const tell = (activity: string, result: unknown, input: unknown = {}): string[] => {
    const { told, metrics: to } = recorded();
    tellResult(to, 'p', { activity, input, result });
    return told;
  };

  it('is every row, and every byte that was fetched', () => {
    const imported = {
      record: { raw: { bytes: 70 } },
      parsed: { rows: { read: 12, parsed: 10, rejected: 2 } },
      replayed: false,
    };
    expect(tell('importSource', imported)).toEqual([
      'sluice_rows_total{pipeline=p,dataset=main,stage=import,outcome=parsed} 10',
      'sluice_rows_total{pipeline=p,dataset=main,stage=import,outcome=rejected} 2',
      'sluice_bytes_total{pipeline=p,dataset=main,stage=import} 70',
    ]);
    expect(tell('importSource', { ...imported, replayed: true })).toHaveLength(2);
    const rows = { read: 10, clean: 5, duplicates: 3, filtered: 0, rejected: 2 };
    expect(tell('clean', { batches: [{ dataset: 'main', clean: { bytes: 9 }, rows }] })).toEqual([
      'sluice_rows_total{pipeline=p,dataset=main,stage=clean,outcome=clean} 5',
      'sluice_rows_total{pipeline=p,dataset=main,stage=clean,outcome=duplicate} 3',
      'sluice_rows_total{pipeline=p,dataset=main,stage=clean,outcome=filtered} 0',
      'sluice_rows_total{pipeline=p,dataset=main,stage=clean,outcome=rejected} 2',
      'sluice_bytes_total{pipeline=p,dataset=main,stage=clean} 9',
    ]);
    const prepared = { prepared: { dataset: 'by-state' } };
    const sent = 'sluice_rows_total{pipeline=p,dataset=by-state,stage=publish,outcome=published}';
    const published = { rows: 5, resumedAfter: 2, committedBefore: false };
    expect(tell('publish', published, prepared)).toEqual([`${sent} 3`]);
    expect(tell('publish', { ...published, committedBefore: true }, prepared)).toEqual([`${sent} 0`]);
  });

  it('is a run once, with its stages; a backfill makes data no older', () => {
    const report = {
      ...{ outcome: 'completed', hour: '2026-11-24T03:00:00Z' },
      ...{ startedAt: '2026-11-24T03:05:00Z', endedAt: '2026-11-24T03:05:30Z' },
      stages: [{ stage: 'import', ms: 1_500 }],
    };
    const newest = 'sluice_newest_done_hour_timestamp_seconds{pipeline=p}';
    expect(tell('writeReport', {}, report)).toEqual([
      'sluice_runs_total{pipeline=p,outcome=completed} 1',
      'sluice_run_duration_seconds{pipeline=p,outcome=completed} 30',
      'sluice_stage_duration_seconds{pipeline=p,stage=import} 1.5',
      `${newest} ${Date.parse(report.hour) / 1_000}`,
    ]);
    expect(tell('writeReport', {}, { ...report, hour: '2026-11-01T03:00:00Z' }).at(-1)).toBe(
      `${newest} ${Date.parse(report.hour) / 1_000}`,
    );
    const error = { code: 'SourceGone', stage: 'import', message: '' };
    expect(tell('writeReport', {}, { ...report, outcome: 'failed', error }).at(-1)).toBe(
      'sluice_run_failures_total{pipeline=p,stage=import,code=SourceGone} 1',
    );
  });

  it('is each bulk request, answered or not', () => {
    const { told, metrics: to } = recorded();
    const requested = measuredBulk(to, 'p.by-state');
    requested({ ms: 20, bytes: 7, documents: { written: 1, newer: 0, refused: 0, again: 2 } });
    requested({ ms: 20, bytes: 7 });
    const of = (outcome: string): string =>
      `sluice_bulk_requests_total{pipeline=p,dataset=by-state,outcome=${outcome}} 1`;
    expect(told.filter((line) => line.includes('requests_total'))).toEqual([of('partial'), of('failed')]);
    expect(told).toContain('sluice_bulk_documents_total{pipeline=p,dataset=by-state,outcome=again} 2');
  });

  it('is how far a consumer is, until it leaves', () => {
    const { told, metrics: to } = recorded();
    const { hooks, left } = measuredConsumer(to, { stream: 'p', shard: 1 });
    hooks.committed?.({ rows: 3, bytes: 4, resent: 1, foreign: 0, deadLetters: 0, lost: 0 });
    left();
    expect(told).toContain('sluice_rows_total{pipeline=p,dataset=main,stage=land,outcome=landed} 3');
    expect(told.at(-2)).toBe('sluice_consumer_lag_records{pipeline=p,dataset=main,shard=1} NaN');
  });
});

describe('what cannot be told', () => {
  const refuse = (): never => {
    throw new Error('refused');
  };
  const refusing: Metrics = { add: refuse, observe: refuse, set: refuse };

  it('stops no consumer and no bulk request', () => {
    const why: unknown[] = [];
    const { hooks, left } = measuredConsumer(refusing, { stream: 'p', shard: 0 }, (error) => why.push(error));
    hooks.committed?.({ rows: -1, bytes: 4, resent: 0, foreign: 0, deadLetters: 0, lost: 0 });
    left();
    expect(why).toMatchObject([{ message: 'refused' }, { message: 'refused' }]);
    expect(() => measuredBulk(refusing, 'p')({ ms: 20, bytes: 7 })).not.toThrow();
  });

  it('stops no attempt that is written down', async () => {
    const info = { activityType: 'clean', attempt: 1, currentAttemptScheduledTimestampMs: 0 };
    const { inbound } = logAttempts({ info, log: { info: refuse } } as unknown as Context);
    expect(await inbound?.execute?.({ args: [{}], headers: {} }, async () => 7)).toBe(7);
  });

  it('is left out: no counter takes less than nothing, and no histogram what is no number', () => {
    const seen: number[] = [];
    const add = (value: number) => seen.push(value);
    const meter = { createCounter: () => ({ add }), createHistogram: () => ({ record: add }) };
    const to = new MeteredMetrics(meter as unknown as ConstructorParameters<typeof MeteredMetrics>[0]);
    for (const value of [-1, 0.5, Number.NaN, Infinity, 2 ** 53, 0, 3])
      to.add('sluice_retries_total', value, { pipeline: 'p', stage: 'clean' });
    for (const value of [Number.NaN, Infinity, -2, 0.5])
      to.observe('sluice_chunk_size_bytes', value, { pipeline: 'p', dataset: 'main' });
    expect(seen).toEqual([0, 3, 0, 0.5]);
  });
});

describe('what Temporal is asked for', () => {
  it('is what schedules of ours have missed', async () => {
    const { told, metrics: to } = recorded();
    await new SampledSchedules(to).sample(
      {
        listSchedules: async () => ({
          schedules: [
            { scheduleId: 'maintenance/p', info: { workflowType: { name: 'maintenance' } } },
            { scheduleId: 'other', info: { workflowType: { name: 'theirs' } } },
          ],
        }),
        describeSchedule: async () => ({
          info: { missedCatchupWindow: 3, overlapSkipped: 0 },
          schedule: { state: { paused: true } },
        }),
      } as unknown as Parameters<SampledSchedules['sample']>[0],
      'default',
    );
    const which = '{pipeline=p,schedule=maintenance}';
    expect(told).toEqual([
      `sluice_schedule_missed_runs${which} 3`,
      `sluice_schedule_skipped_runs${which} 0`,
      `sluice_schedule_paused${which} 1`,
    ]);
  });

  it('is which hour a schedule started last: jitter, which may take it into the next, is taken off', async () => {
    const { told, metrics: to } = recorded();
    const seconds = (text: string): { seconds: number } => ({ seconds: Date.parse(text) / 1_000 });
    const service = {
      listSchedules: async () => ({ schedules: [{ scheduleId: 'p', info: { workflowType: { name: 'launch' } } }] }),
      describeSchedule: async () => ({
        info: {
          recentActions: [
            { scheduleTime: seconds('2026-11-24T05:59:40Z') },
            { scheduleTime: seconds('2026-11-25T06:03:00Z') },
          ],
        },
        schedule: { spec: { jitter: { seconds: 600 } } },
      }),
    } as unknown as Parameters<SampledSchedules['sample']>[0];
    await new SampledSchedules(to).sample(service, 'default');
    const { seconds: hour } = seconds('2026-11-25T05:00:00Z');
    expect(told).toContain(`sluice_schedule_newest_hour_timestamp_seconds{pipeline=p,schedule=hours} ${hour}`);
  });

  it('is each schedule by itself; one that is gone stands at nothing, unless the list was cut', async () => {
    let ids = ['p', 'q', 'r'];
    let nextPageToken = new Uint8Array();
    const service = {
      listSchedules: async () => ({
        schedules: ids.map((scheduleId) => ({ scheduleId, info: { workflowType: { name: 'launch' } } })),
        nextPageToken,
      }),
      describeSchedule: async ({ scheduleId }: { readonly scheduleId: string }) => {
        if (scheduleId === 'q') throw Object.assign(new Error('5 NOT_FOUND: no rows'), { code: 5 });
        if (scheduleId === 'broken') throw Object.assign(new Error('14 UNAVAILABLE'), { code: 14 });
        return { info: {}, schedule: {} };
      },
    } as unknown as Parameters<SampledSchedules['sample']>[0];
    const { told, metrics: to } = recorded();
    const schedules = new SampledSchedules(to);
    let questions = 0;
    const paused = async (): Promise<string[]> => {
      told.length = 0;
      await schedules.sample(service, 'default', (question) => ((questions += 1), question()));
      return told.filter((line) => line.startsWith('sluice_schedule_paused'));
    };
    const line = (pipeline: string, value: string): string =>
      `sluice_schedule_paused{pipeline=${pipeline},schedule=hours} ${value}`;
    expect(await paused()).toEqual([line('p', '0'), line('r', '0')]);
    expect(questions).toBe(4);
    ids = ['p'];
    nextPageToken = new Uint8Array([1]);
    expect(await paused()).toEqual([line('p', '0')]);
    nextPageToken = new Uint8Array();
    expect(await paused()).toEqual([line('p', '0'), line('r', 'NaN')]);
    expect(told).toHaveLength(8);
    expect(await paused()).toEqual([line('p', '0')]);
    ids = ['broken'];
    await expect(paused()).rejects.toThrow('UNAVAILABLE');
  });

  it('is which incidents are open, and those that are so no more are none', async () => {
    const ids = ['incident/p/run-failed/SourceGone', 'incident/p/run-failed', 'incident/p/any text', 'else'];
    const service = {
      listWorkflowExecutions: async () => ({ executions: ids.map((workflowId) => ({ execution: { workflowId } })) }),
    } as unknown as Parameters<typeof openIncidents>[0];
    const open = await openIncidents(service, 'default');
    const { told, metrics: to } = recorded();
    const incidents = new OpenIncidents(to);
    incidents.are(open);
    incidents.are(new Map());
    expect(told).toEqual([
      'sluice_incidents_open{pipeline=p,rule=run-failed} 2',
      'sluice_incidents_open{pipeline=p,rule=run-failed} 0',
    ]);
  });
});

describe('where metrics are told', () => {
  it('is an address that can be had, with the port that was found', async () => {
    const { url, telemetry } = await metricsEndpoint({ host: 'localhost', port: 0 });
    expect(url).toMatch(/^http:\/\/(127\.0\.0\.1|\[::1\]):[1-9]\d+\/metrics$/);
    expect(telemetry.metrics).toMatchObject({ prometheus: { bindAddress: new URL(url).host } });
  });

  it('is said in one sentence where it cannot be had', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(metricsEndpoint({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'SettingsInvalid',
      message: expect.stringMatching(/^Metrics cannot be told at 127\.0\.0\.1:\d+: .*EADDRINUSE.*--metrics/) as string,
    });
    await new Promise((resolve) => holder.close(resolve));
    await expect(metricsEndpoint({ host: 'no-such-host.invalid', port: 0 })).rejects.toMatchObject({
      code: 'SettingsInvalid',
    });
  });

  it('makes each metric once, by the name that the SDK completes', () => {
    const made: string[] = [];
    const meter = {
      createCounter: (name: string) => (made.push(name), { add: () => {} }),
      createHistogram: (name: string, _kind: string, unit: string) => (
        made.push(`${name} ${unit}`),
        { record: () => {} }
      ),
    };
    const to = new MeteredMetrics(meter as unknown as ConstructorParameters<typeof MeteredMetrics>[0]);
    for (let n = 0; n < 2; n += 1) {
      to.add('sluice_retries_total', 1, { pipeline: 'p', stage: 'clean' });
      to.observe('sluice_chunk_size_bytes', 1, { pipeline: 'p', dataset: 'main' });
    }
    expect(made).toEqual(['sluice_retries', 'sluice_chunk_size bytes']);
  });
});
