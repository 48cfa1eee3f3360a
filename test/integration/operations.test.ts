import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportActivities } from '../../src/activities/reports.ts';
import { createApi } from '../../src/client/api/server.ts';
import { answerChart, answerMetric } from '../../src/dashboards/answering.ts';
import { operationsDashboard } from '../../src/dashboards/panels/index.ts';
import type { MetricPanel } from '../../src/dashboards/panel.ts';
import type { PanelContext } from '../../src/dashboards/requests.ts';
import { SearchConnector } from '../../src/connectors/search.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { keys, operationsIndex } from '../../src/definition/names.ts';
import { operationsFields } from '../../src/definition/operations.ts';
import type { ObjectRef } from '../../src/definition/refs.ts';
import { incidentDocument, indexIncidents } from '../../src/stages/accounting/incident-documents.ts';
import { keptIncidents } from '../../src/stages/accounting/kept-incidents.ts';
import { fillOperations, indexReport } from '../../src/stages/accounting/operations.ts';
import { writeReport } from '../../src/stages/accounting/report.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { retain } from '../../src/stages/maintaining/retention.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { drawn, type Datum } from '../helpers/drawn.ts';
import { FaultySearch } from '../helpers/faulty-search.ts';
import { IndexLab } from '../helpers/index-lab.ts';
import { runReport, someAnomalies, someIncident } from '../helpers/operations.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const now = Date.parse(toLogicalHour(new Date()));
const byText = (a: string, b: string): number => a.localeCompare(b);

/** The hour that began so many hours ago. */
const ago = (hours: number): string => toLogicalHour(now - hours * 3_600_000);

describe.skipIf(noStack)('run reports on a real Elasticsearch', () => {
  let deps: StageDeps;
  let lab: IndexLab;

  beforeAll(async () => {
    const { environment } = await testStack();
    deps = stageDeps(environment, `operations-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
    lab = new IndexLab(deps);
  });

  afterAll(() => deps.search.close());

  /** A run of a pipeline of its own. */
  function ran(pipeline: string, hour: string, other: Partial<RunReport> = {}): RunReport {
    const runId = `run-${randomBytes(6).toString('hex')}`;
    return runReport({ pipeline, hour, runId, workflowId: `pipeline/${pipeline}/${hour}`, ...other });
  }

  const someName = (): string => `o-${randomBytes(4).toString('hex')}`;

  async function documents(pipeline: string): Promise<Record<string, Record<string, unknown>>> {
    const { client } = deps.search;
    await client.indices.refresh({ index: operationsIndex });
    const found = await client.search<Record<string, unknown>>({
      index: operationsIndex,
      size: 10_000,
      query: { term: { pipeline } },
    });
    return Object.fromEntries(found.hits.hits.map(({ _id, _source }) => [_id ?? '', _source ?? {}]));
  }

  const runs = async (pipeline: string): Promise<string[]> =>
    Object.values(await documents(pipeline))
      .filter(({ kind }) => kind === 'run')
      .map(({ runId }) => String(runId))
      .toSorted();

  it('gives each field the type that panels are told of, and takes no other field', async () => {
    const name = someName();
    const report = ran(name, ago(1));
    await writeReport(deps, report);
    await indexReport(deps, report, undefined, unattended);
    const { client } = deps.search;
    const [index] = Object.values(await client.indices.getMapping({ index: operationsIndex }));
    expect(index?.mappings.dynamic).toBe('strict');
    const types = Object.entries(index?.mappings.properties ?? {}).map(([field, { type }]) => [field, type]);
    expect(Object.fromEntries(types)).toEqual(operationsFields);
  });

  it('are the same documents when they are written again', async () => {
    const name = someName();
    const report = ran(name, ago(1));
    await writeReport(deps, report);
    await indexReport(deps, report, undefined, unattended);
    const first = await documents(name);
    expect(Object.keys(first)).toHaveLength(8);
    await indexReport(deps, report, undefined, unattended);
    expect(await fillOperations(deps, { pipeline: name }, unattended)).toEqual({
      ...{ reports: 1, documents: 8, unreadable: [] },
    });
    expect(await documents(name)).toEqual(first);
  });

  it('bring those that were missed while Elasticsearch was away, once it is back', async () => {
    const name = someName();
    const [missed, old, next] = [ran(name, ago(2)), ran(name, ago(24 * 10)), ran(name, ago(1))];
    const away = { ...deps, search: new SearchConnector({ url: 'http://127.0.0.1:9' }) };
    for (const report of [missed, old]) {
      await writeReport(away, report);
      await expect(indexReport(away, report, undefined, unattended)).rejects.toMatchObject({
        code: 'ElasticsearchUnavailable',
      });
    }
    await away.search.close();
    await writeReport(deps, next);
    await indexReport(deps, next, undefined, unattended);
    // What is older than some days is for the command.
    expect(await runs(name)).toEqual([missed.runId, next.runId].toSorted());
    await fillOperations(deps, { pipeline: name }, unattended);
    expect(await runs(name)).toEqual([missed.runId, next.runId, old.runId].toSorted());
  });

  it('are stored all the same where Elasticsearch does not answer, and their run ends', async () => {
    const name = someName();
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const mute = { ...deps, search: new SearchConnector({ url }) };
    const report = ran(name, ago(1));
    const activity = new MockActivityEnvironment();
    const stored = (await activity.run(reportActivities(mute, 300).writeReport, report)) as ObjectRef;
    expect(await deps.store.findJson(deps.store.keyOf(stored.uri))).toMatchObject(report);
    expect(await deps.store.findJson(keys.done(name, report.hour))).toMatchObject(report);
    silent.closeAllConnections();
    silent.close();
    await mute.search.close();
    expect(await runs(name)).toEqual([]);
    await new MockActivityEnvironment().run(reportActivities(deps).writeReport, report);
    expect(await runs(name)).toEqual([report.runId]);
  });

  it('bring a run again of which a part alone is there', async () => {
    const name = someName();
    const { environment } = await testStack();
    const faulty = await FaultySearch.start(environment['SLUICE_ELASTICSEARCH_URL'] ?? '');
    const harmed = { ...deps, search: new SearchConnector({ url: faulty.url }) };
    const [cut, next] = [ran(name, ago(2)), ran(name, ago(1))];
    await writeReport(deps, cut);
    // Stages and data sets are written; the run's own document is not.
    const stop = new AbortController();
    faulty.fault = (bulk) => {
      if (bulk === 0) return undefined;
      stop.abort(new Error('the worker stops'));
      return { kind: 'refuse' };
    };
    const stopped = { ...unattended, signal: stop.signal };
    await expect(indexReport(harmed, cut, undefined, stopped)).rejects.toThrow('the worker stops');
    expect([faulty.bulks, stop.signal.aborted]).toEqual([2, true]);
    await harmed.search.close();
    await faulty.stop();
    expect(Object.keys(await documents(name))).toHaveLength(7);
    expect(await runs(name)).toEqual([]);
    await writeReport(deps, next);
    await indexReport(deps, next, undefined, unattended);
    expect(Object.keys(await documents(name))).toHaveLength(16);
  });

  it('keep the lag of their time, whenever they are written', async () => {
    const name = someName();
    const report = ran(name, ago(1));
    await writeReport(deps, report);
    await deps.store.createJson(keys.lag(name, report.hour, report.runId), {
      ...{ at: report.endedAt, records: { [name]: 30, [`${name}.means`]: 12 } },
    });
    await indexReport(deps, report, undefined, unattended);
    expect((await documents(name))[report.runId]).toMatchObject({ lag: 42 });
    await fillOperations(deps, { pipeline: name }, unattended);
    expect((await documents(name))[report.runId]).toMatchObject({ lag: 42 });
  });

  it('are told from each other by pipeline, and a file that is none is named', async () => {
    const [one, other] = [someName(), someName()];
    for (const name of [one, other]) await writeReport(deps, ran(name, ago(1)));
    const broken = keys.attempt(one, ago(3), 'cut', 'run.json');
    await deps.store.put(broken, Buffer.from('{"pipeline": '));
    const filled = await fillOperations(deps, { pipeline: one }, unattended);
    expect(filled).toEqual({ reports: 1, documents: 8, unreadable: [broken] });
    expect(await runs(one)).toHaveLength(1);
    expect(await runs(other)).toEqual([]);
    await fillOperations(deps, {}, unattended);
    expect(await runs(other)).toHaveLength(1);
  });

  it('are kept from the index by no other that is none, or that the index refuses', async () => {
    const name = someName();
    const [sound, refused, next] = [ran(name, ago(2)), ran(name, ago(3)), ran(name, ago(1))];
    await writeReport(deps, sound);
    const shapeless = keys.attempt(name, ago(4), 'shapeless', 'run.json');
    await deps.store.put(shapeless, Buffer.from('{"pipeline": "other"}'));
    const unfit = keys.attempt(name, refused.hour, refused.runId, 'run.json');
    await deps.store.put(unfit, Buffer.from(JSON.stringify({ ...refused, startedAt: 'yesterday' })));
    await writeReport(deps, next);
    const filled = await indexReport(deps, next, undefined, unattended);
    expect({ ...filled, unreadable: filled.unreadable.toSorted() }).toEqual({
      ...{ reports: 2, documents: 16, unreadable: [shapeless, unfit].toSorted() },
    });
    expect(await runs(name)).toEqual([sound.runId, next.runId].toSorted());
  });

  it('go with the hour that retention removes, and do not come back', async () => {
    const pipeline = lab.definition();
    const { name } = pipeline;
    const old = ago(24 * 30);
    for (const hour of [old, ago(1)]) {
      await lab.commit(pipeline, hour, [{ id: 'a', kind: 'k', amount: '1.000000' }]);
      await writeReport(deps, ran(name, hour));
    }
    await fillOperations(deps, { pipeline: name }, unattended);
    const before = await documents(name);
    expect(Object.values(before).filter(({ hour }) => hour === old)).toHaveLength(8);
    const removed = await retain(deps, { pipeline, before: ago(24), dryRun: false }, unattended);
    expect(removed.hours).toBe(1);
    const after = await documents(name);
    expect(Object.values(after).map(({ hour }) => hour)).toEqual(Array(8).fill(ago(1)));
    // Its report is there until gc takes it.
    expect(await deps.store.lastKey(keys.attempts(name, old))).toBeDefined();
    await fillOperations(deps, { pipeline: name }, unattended);
    expect(await documents(name)).toEqual(after);
  });

  it('have incidents beside them, each as it stood last, whoever writes an older word of it late', async () => {
    const incident = someIncident({ pipeline: someName() });
    const ended = { ...incident, state: 'recovered' as const, endedAt: '2026-11-24T05:00:00.000Z' };
    for (const word of [incident, ended, incident, ended]) await indexIncidents(deps, [word], unattended);
    const { id, body } = incidentDocument(ended);
    expect(await documents(incident.pipeline)).toEqual({ [id]: body });
  });

  it('leave incidents to their own end: one that is open stays, whatever hour it was seen in', async () => {
    const pipeline = lab.definition();
    const old = ago(24 * 30);
    for (const hour of [old, ago(1)]) await lab.commit(pipeline, hour, [{ id: 'a', kind: 'k', amount: '1.000000' }]);
    const seen = { pipeline: pipeline.name, hours: [old], openedAt: old, lastSeenAt: old };
    const ended = { ...seen, state: 'recovered' as const };
    const kept = [someIncident(seen), someIncident({ ...ended, rule: 'rows', endedAt: ago(23) })];
    const all = [...kept, someIncident({ ...ended, rule: 'lag', endedAt: ago(25) })];
    await indexIncidents(deps, all, unattended);
    const removed = await retain(deps, { pipeline, before: ago(24), dryRun: false }, unattended);
    expect(removed.hours).toBe(1);
    const left = kept.map((one) => incidentDocument(one)).map(({ id, body }) => [id, body]);
    expect(await documents(pipeline.name)).toEqual(Object.fromEntries(left));
    // And by the same limit none comes back.
    expect(await keptIncidents(deps, all, new Map([[pipeline.name, ago(24)]]))).toEqual(kept);
  });

  describe('on the operations dashboard', () => {
    const name = someName();
    const other = someName();
    const all = { from: 'now-30d', to: 'now', filters: { pipeline: [name] } };
    /** Oldest first: one that went through, one that failed, one that lost a row, and the first hour again. */
    const reports = [5, 4, 3, 5].map((hours, at): RunReport => {
      const ended = now - 3_600_000 + at * 60_000;
      const counts = { read: 1_000 + at, clean: 900 + at, duplicates: 60, filtered: 30, rejected: 10 };
      const rows = { ...counts, published: 900 + at, landed: 900 + at, indexed: at === 2 ? 901 : 900 + at };
      const lost = at === 2 ? { broken: 'landed 902 → indexed 901' } : {};
      const clean = {
        ...{ engine: 'duckdb' as const, quality: [], rejectedBy: { 'amount range': 6 + at, 'id required': 4 } },
        datasets: { main: { rows: counts, sha256: 'ab' } },
      };
      const stages = ['prepare', 'import', 'turn', 'clean', 'publish'].map((stage, nth) => ({
        ...{ stage, ms: 1_000 * (nth + 1) + at, startedAt: new Date(ended - 60_000 + nth).toISOString() },
      }));
      const error = { code: 'SourceUnavailable', stage: 'publish', message: 'It is away.' };
      return ran(name, ago(hours), {
        ...{ startedAt: new Date(ended - 60_000).toISOString(), endedAt: new Date(ended).toISOString(), clean, stages },
        ...(at === 0 ? { anomalies: someAnomalies } : {}),
        ...(at === 1
          ? { outcome: 'failed', error, equations: [] }
          : { equations: [{ dataset: 'main', rows, holds: at !== 2, ...lost }] }),
      });
    });
    const [first, failed, lossy, again] = reports as [RunReport, RunReport, RunReport, RunReport];
    // One opened before all that is shown and is open, one lasted for a minute, and one is of another pipeline.
    const minute = { openedAt: first.endedAt, endedAt: new Date(Date.parse(first.endedAt) + 60_000).toISOString() };
    const incidents = [
      someIncident({ pipeline: name, openedAt: new Date(now - 40 * 86_400_000).toISOString(), lastSeenAt: ago(40) }),
      someIncident({ pipeline: name, rule: 'rows', severity: 'warning', state: 'recovered', ...minute }),
      someIncident({ pipeline: other }),
    ];
    const hourly = ({ hour }: RunReport): string => `${name} ${hour.slice(5, 10)} ${hour.slice(11, 16)}`;
    const labels = new Map([
      [first.runId, hourly(first)],
      [failed.runId, hourly(failed)],
      [lossy.runId, hourly(lossy)],
      [again.runId, `${hourly(again)} #2`],
    ]);

    beforeAll(async () => {
      for (const [at, report] of reports.entries()) {
        await writeReport(deps, report);
        const lag = { at: report.endedAt, records: { [name]: at * 5 } };
        await deps.store.createJson(keys.lag(name, report.hour, report.runId), lag);
      }
      await writeReport(deps, ran(other, ago(5)));
      await indexIncidents(deps, incidents, unattended);
      for (const pipeline of [name, other]) await fillOperations(deps, { pipeline }, unattended);
      await documents(name);
    });

    const { panels } = operationsDashboard();
    const panelOf = (id: string) => panels.find((panel) => panel.id === `operations-${id}`);

    async function chart(id: string, context: PanelContext = all): Promise<Map<string, Datum[]>> {
      const panel = panelOf(id);
      if (panel?.kind !== 'chart') throw new Error(`no chart ${id}`);
      return drawn(await answerChart(deps.search, panel, context));
    }

    const sourceOf = (datum: Datum): Record<string, unknown> => datum['_source'] as Record<string, unknown>;

    it.each([
      ['runs-completed', 3],
      ['runs-failed', 1],
      ['runs-unchanged', 0],
      ['runs-cancelled', 0],
      ['broken-equations', 1],
      ['newest-hour', Date.parse(ago(3))],
    ])('%s says %d', async (id, value) => {
      const panel = panelOf(id);
      if (panel?.kind !== 'metric') throw new Error(`no metric ${id}`);
      expect(await answerMetric(deps.search, panel, all)).toMatchObject({ value });
    });

    it('rows by stage and outcome are those of the reports', async () => {
      const bars = (await chart('rows-per-run')).get('rect') ?? [];
      const shown = bars.map((bar) => [bar['label'], bar['stage'], bar['outcome'], bar['rows']].join(' '));
      const told = reports.flatMap((report, at) => {
        const label = labels.get(report.runId) ?? '';
        const behind = report.equations.flatMap(({ rows: { published, landed, indexed } }) => [
          `${label} published clean ${published}`,
          `${label} landed clean ${landed}`,
          `${label} indexed clean ${indexed}`,
        ]);
        const cleaned = { clean: 900 + at, duplicates: 60, filtered: 30, rejected: 10 };
        return [...Object.entries(cleaned).map(([outcome, rows]) => `${label} cleaned ${outcome} ${rows}`), ...behind];
      });
      expect(new Set(shown)).toEqual(new Set(told));
      expect(shown).toHaveLength(told.length);
    });

    it('rejected rows by reason are the sums over the reports', async () => {
      const bars = (await chart('rejected-by-reason')).get('rect') ?? [];
      expect(bars.map((bar) => [bar['key'], (bar['rows'] as { value: number }).value])).toEqual([
        ['amount range', 6 + 7 + 8 + 9],
        ['id required', 16],
      ]);
    });

    it('durations are those of each stage of each run', async () => {
      const bars = (await chart('durations')).get('rect') ?? [];
      const shown = bars.map(
        (bar) => `${String(bar['label'])} ${String(sourceOf(bar)['stage'])} ${String(bar['seconds'])}`,
      );
      const told = reports.flatMap(({ runId, stages }) =>
        stages.map(({ stage, ms }) => `${labels.get(runId)} ${stage} ${ms / 1_000}`),
      );
      expect(shown.toSorted(byText)).toEqual(told.toSorted(byText));
      const parts = new Map(bars.map((bar) => [sourceOf(bar)['stage'], bar['part']]));
      expect(parts.get('turn')).toBe('waiting');
      expect(parts.get('publish')).toBe('publish');
    });

    it('lag is that of the end of each run', async () => {
      const points = (await chart('lag')).get('symbol') ?? [];
      const shown = points.map((point) => [point['label'], sourceOf(point)['lag']]);
      expect(new Map(shown as [string, number][])).toEqual(
        new Map(reports.map(({ runId }, at) => [labels.get(runId), at * 5])),
      );
    });

    it('what went wrong has each incident that was open then, for as long as it lasted', async () => {
      const lines = (await chart('incidents')).get('rule') ?? [];
      expect(lines.map((line) => [sourceOf(line)['rule'], line['ended'], line['lasted']])).toEqual([
        ['run-failed', 'still open', null],
        ['rows', expect.stringMatching(/UTC$/), '1.0 min'],
      ]);
      const left = Math.min(...lines.map((line) => Number(line['end'])));
      // That which opened before is drawn from where the range begins.
      expect(Math.abs(left - (Date.now() - 30 * 86_400_000))).toBeLessThan(3_600_000);
      const later = await chart('incidents', {
        ...all,
        from: new Date(Date.parse(first.endedAt) + 61_000).toISOString(),
      });
      expect((later.get('rule') ?? []).map((line) => sourceOf(line)['rule'])).toEqual(['run-failed']);
      const before = await chart('incidents', { ...all, from: 'now-60d', to: 'now-50d' });
      expect([...before.values()].flat()).toEqual([]);
    });

    it('what was odd has each finding of each run', async () => {
      const bars = (await chart('anomalies')).get('rect') ?? [];
      expect(bars.map((bar) => [bar['label'], sourceOf(bar)['rule'], bar['off']])).toEqual([
        [labels.get(first.runId), 'rows', '12.0 usual deviations'],
        [labels.get(first.runId), 'schema', null],
      ]);
    });

    it('the table of equations has the numbers of each, and red where they do not agree', async () => {
      const marks = await chart('equations');
      const cells = (marks.get('text') ?? []).filter((cell) => cell['head'] !== undefined);
      const rows = Object.groupBy(cells, (cell) => String(cell['line']));
      for (const { runId, equations } of [first, lossy, again]) {
        const line = Object.fromEntries(
          (rows[labels.get(runId) ?? ''] ?? []).map((cell) => [cell['head'], cell['text']]),
        );
        const [{ rows: counts, holds }] = equations as [RunReport['equations'][number]];
        expect(line).toEqual({
          ...{ read: counts.read.toLocaleString('en'), clean: String(counts.clean), 'dupl.': '60', filtered: '30' },
          ...{ rejected: '10', 'publ.': String(counts.published), landed: String(counts.landed) },
          ...{ indexed: String(counts.indexed), holds: holds ? 'yes' : 'NO' },
        });
      }
      expect(Object.keys(rows)).toHaveLength(3);
      const red = (marks.get('rect') ?? []).map((cell) => `${String(cell['line'])} ${String(cell['head'])}`);
      expect(red.toSorted(byText)).toEqual([`${hourly(lossy)} holds`, `${hourly(lossy)} indexed`]);
      const said = (marks.get('text') ?? []).map((text) => text['said']);
      expect(said).toContain(`${hourly(lossy)}: landed 902 → indexed 901`);
    });

    it('each chart keeps to the pipelines and the time that are asked for', async () => {
      const range = { from: first.endedAt, to: new Date(Date.parse(first.endedAt) + 1_000).toISOString() };
      const charts = panels.filter((panel) => panel.kind === 'chart').map(({ id }) => id.replace('operations-', ''));
      for (const id of charts) {
        const none = [...(await chart(id, { ...all, from: 'now-1m' })).values()].flat();
        // An incident that is open is so in each time up to now.
        expect(none.filter((datum) => datum['ended'] !== 'still open')).toEqual([]);
        const shown = [...(await chart(id, { ...all, ...range })).values()].flat();
        expect([id, shown.length > 0]).toEqual([id, true]);
        if (id === 'incidents') continue;
        const runIds = shown.filter((datum) => '_source' in datum).map((datum) => sourceOf(datum)['runId']);
        expect(runIds.filter((runId) => runId !== first.runId)).toEqual([]);
      }
      expect(charts).toHaveLength(7);
    });

    it('each number keeps to the time that is asked for', async () => {
      for (const panel of panels.filter(({ kind }) => kind === 'metric')) {
        const answer = await answerMetric(deps.search, panel as MetricPanel, { ...all, from: 'now-1m' });
        expect(answer.documents).toBe(0);
      }
    });

    it('the API has the same numbers, in words for who does not see the chart', async () => {
      const { environment } = await testStack();
      // Without Temporal there are the dashboards of the definition that it was given, and that of runs.
      const options = { host: '127.0.0.1', hosts: [], rateLimit: 10_000, pipeline: lab.definition() };
      const api = await createApi({ ...options, environment: { ...environment, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
      const range = `from=now-30d&to=now&filter.pipeline=${name}`;
      const { body } = await api.inject({ url: `/dashboards/operations/panels/operations-equations?${range}` });
      const { table } = JSON.parse(body) as { table: { rows: unknown[][] } };
      await api.close();
      expect(table.rows).toEqual(
        [again, lossy, first].map(({ runId, equations }) => {
          const [{ rows, holds, broken }] = equations as [RunReport['equations'][number]];
          const { read, clean, duplicates, filtered, rejected, published, landed, indexed } = rows;
          const cells = [read, clean, duplicates, filtered, rejected, published, landed, indexed];
          return [labels.get(runId), 'main', ...cells, holds ? 'yes' : 'NO', broken ?? null];
        }),
      );
    });

    it('each panel names what it needs of the index, and asks for nothing else', () => {
      for (const { id, index, timeField, needs, ...panel } of panels) {
        expect(id).toMatch(/^operations-[a-z0-9-]+$/);
        expect({ index, timeField }).toEqual({ index: operationsIndex, timeField: 'at' });
        for (const [field, type] of Object.entries(needs)) expect(operationsFields).toHaveProperty(field, type);
        const text = JSON.stringify(panel);
        const asked = Object.keys(operationsFields).filter((field) => text.includes(`_source.${field}`));
        for (const field of asked) expect(needs).toHaveProperty(field);
      }
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    });
  });
});
