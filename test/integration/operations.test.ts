import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportActivities } from '../../src/activities/reports.ts';
import { SearchConnector } from '../../src/connectors/search.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { keys, operationsIndex } from '../../src/definition/names.ts';
import { operationsFields } from '../../src/definition/operations.ts';
import type { ObjectRef } from '../../src/definition/refs.ts';
import { fillOperations, indexReport } from '../../src/stages/accounting/operations.ts';
import { writeReport } from '../../src/stages/accounting/report.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { retain } from '../../src/stages/maintaining/retention.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { FaultySearch } from '../helpers/faulty-search.ts';
import { IndexLab } from '../helpers/index-lab.ts';
import { runReport } from '../helpers/operations.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const now = Date.parse(toLogicalHour(new Date()));
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
    expect(await deps.store.findJson(deps.store.keyOf(stored.uri))).toEqual(report);
    expect(await deps.store.findJson(keys.done(name, report.hour))).toEqual(report);
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
    faulty.fault = (bulk) => (bulk === 0 ? undefined : { kind: 'refuse' });
    const stopped = { ...unattended, signal: AbortSignal.timeout(1_500) };
    await expect(indexReport(harmed, cut, undefined, stopped)).rejects.toThrow(/timeout/);
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
});
