import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { consumingActivities } from '../../src/activities/consuming.ts';
import { createActivities } from '../../src/activities/index.ts';
import { lookingActivities, type LookedNow } from '../../src/activities/watching/look.ts';
import { temporalOf } from '../../src/activities/watching/temporal-world.ts';
import { ConsumerControl } from '../../src/client/consumer-control.ts';
import { Rebuilds } from '../../src/client/rebuilds.ts';
import { Runs } from '../../src/client/runs.ts';
import { Schedules } from '../../src/client/schedules/schedules.ts';
import { hourKey, toLogicalHour, type LogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import { pipelineSchema, type Pipeline } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { retain } from '../../src/stages/maintaining/retention.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { look } from '../../src/stages/watching/outside/look.ts';
import type { WatchMemory } from '../../src/stages/watching/outside/memory.ts';
import { serversOf } from '../../src/stages/watching/outside/servers.ts';
import { HttpServers } from '../helpers/http-server.ts';
import { Outside } from '../helpers/outside.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { proxyOf, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const AFTER_MS = 300;
const ROWS = 50;
/** One end marker each. */
const PARTITIONS = 3;

const first = Date.parse(toLogicalHour(Date.now() - 72 * HOUR));
/** The nth hour of a test. */
const nth = (n: number): string => toLogicalHour(first + n * HOUR);

/** Its eyes on real servers: what runs and consumers of the product itself have put into broker, object store and index. */
describe.skipIf(noStack || noTemporal)('the watchdog on real servers', () => {
  const servers = new HttpServers();
  /** Its hours are those of all tests: each goes on where the one before was. */
  let pipeline: Pipeline;
  let lab: WorkflowLab;
  let deps: StageDeps;
  /** The way to the object store that consumers have. */
  let proxy: TcpProxy;
  let runs: Runs;
  let source: string;
  let body: string;

  beforeAll(async () => {
    const { environment } = await testStack();
    ({ url: source } = await servers.open((response) => response.end(body)));
    const bucket = `watchdog-${randomBytes(4).toString('hex')}`;
    const own = { ...environment, SLUICE_SOURCE_ALLOW: new URL(source).host };
    deps = stageDeps(own, bucket);
    await deps.store.ensureBucket();
    proxy = await proxyOf(new URL(environment['SLUICE_S3_ENDPOINT'] ?? '').host);
    lab = await WorkflowLab.start();
    lab.store = deps.store;
    const { tellOf: _, ...stages } = createActivities(deps);
    const reader = stageDeps({ ...own, SLUICE_S3_ENDPOINT: `http://${proxy.address}` }, bucket);
    lab.stages = { ...stages, consume: consumingActivities(reader).consume };
    runs = new Runs(lab.temporal.client, () => deps.store);
    pipeline = define();
    await new Schedules(lab.temporal.client).apply(pipeline);
  });

  afterAll(async () => {
    // A worker leaves at once where nobody reads any more.
    await lab?.temporal.client.workflow.getHandle(ids.consumer(pipeline.name, 0)).cancel();
    await lab?.stop();
    await proxy?.close();
    await deps?.search.close();
    servers.close();
  });

  function define(): Pipeline {
    const name = `w-${randomBytes(4).toString('hex')}`;
    return pipelineSchema.parse({
      ...{
        name,
        source: { url: `${source}/${name}.csv`, onUnchanged: 'finish' },
        key: ['id'],
        publish: { partitions: PARTITIONS },
      },
      columns: { id: { name: 'id', required: true }, amount: { name: 'amount', type: 'integer' } },
      // By hand alone, while the test runs.
      schedule: { every: '1d', offset: `${(new Date().getUTCHours() + 12) % 24}h` },
      watch: { consumerStuck: { after: `${AFTER_MS}ms` }, indexStale: { after: `${AFTER_MS}ms` } },
    });
  }

  /** @param id of each row; without one it is rejected */
  const serve = (amount: number, id = 'r'): void => {
    const rows = Array.from({ length: ROWS }, (_, at) => `${id && `${id}${at}`},${amount}`);
    body = `${['id,amount', ...rows].join('\n')}\n`;
  };

  const begin = async (hour: LogicalHour, how: { refetch?: boolean } = {}): Promise<string> =>
    (await runs.launch({ pipeline, hour, useCurrent: true, ...how })).workflowId;

  const run = async (...given: Parameters<typeof begin>): Promise<RunReport> => runs.result(await begin(...given));

  /** A watchdog's memory, and what it has told of a pipeline. */
  function watching() {
    const activity = new MockActivityEnvironment({}, { client: lab.temporal.client });
    let memory: WatchMemory = {};
    const once = async (): Promise<LookedNow> => {
      const given = { memory };
      const looked = await activity.run((): Promise<LookedNow> => lookingActivities(deps).look(given));
      ({ memory } = looked);
      expect(looked.watching.problems).toEqual([]);
      return looked;
    };
    return {
      once,
      /** What looks tell, the last one when what the first one saw has been so for long enough. */
      told: async () => {
        const looks = [await once()];
        await wait(2 * AFTER_MS);
        looks.push(await once(), await once());
        const all = looks.flatMap(({ told }) => told.filter((one) => one.pipeline.name === pipeline.name));
        return {
          observations: all.flatMap(({ observations }) => observations),
          clearings: all.flatMap(({ clearings }) => clearings),
        };
      },
    };
  }
  const nothing = { observations: [], clearings: [] };

  const until = (what: () => Promise<unknown>): Promise<unknown> =>
    vi.waitUntil(what, { timeout: 60_000, interval: 100 });

  it('sees a consumer that lands nothing of what is published, and none that is paused', async () => {
    const { topic, name } = streamOf(pipeline, 'main');
    const consumers = new ConsumerControl(lab.temporal.client);
    const watched = watching();
    const published = (count: number) =>
      until(async () => {
        const found = (await deps.kafka.partitionsOf(topic)) && (await deps.kafka.watermarks(topic));
        return found && [...found.values()].reduce((sum, { high }) => sum + Number(high), 0) === count;
      });
    await proxy.close();
    serve(1);
    const hour = await begin(nth(0));
    await published(ROWS + PARTITIONS);
    await until(async () => (await consumers.list(name))[0]?.failing !== undefined);
    const stuck = await watched.told();
    expect(stuck).toMatchObject({
      observations: [{ rule: 'consumer-stuck', subject: `${name}/0`, workflowId: ids.consumer(name, 0) }],
      clearings: [],
    });
    const [{ sentence, facts } = { sentence: '', facts: [] }] = stuck.observations;
    expect(sentence).toMatch(/has not landed a record for more than 300ms, and 53 wait\./);
    expect(facts).toContainEqual({ name: 'Records that wait', value: String(ROWS + PARTITIONS) });

    await proxy.open();
    // So that it is not waited for until it is tried again.
    await consumers.pause(name);
    await consumers.resume(name);
    expect(await runs.result(hour)).toMatchObject({ outcome: 'completed' });
    const landed = await watched.told();
    expect(landed).toMatchObject({
      observations: [],
      clearings: [{ rule: 'consumer-stuck', subject: `${name}/0` }],
    });

    await consumers.pause(name);
    serve(2);
    const next = await begin(nth(1));
    await published(2 * (ROWS + PARTITIONS));
    expect(await watched.told()).toEqual(nothing);
    await consumers.resume(name);
    expect(await runs.result(next)).toMatchObject({ outcome: 'completed' });
    expect(await watched.told()).toEqual(nothing);
  });

  it('sees an index that lacks an hour which went through, and none that an hour had nothing to add to', async () => {
    const { alias } = streamOf(pipeline, 'main');
    const { indices } = deps.search.client;
    const watched = watching();
    const lacks = async (has: string, newest: string): Promise<void> => {
      const { observations, clearings } = await watched.told();
      expect(clearings).toEqual([]);
      expect(observations).toMatchObject([{ rule: 'index-stale' }]);
      expect(observations[0]?.sentence).toContain(`The index ${alias} ${has}, though ${nth(1)} went through`);
      expect(observations[0]?.facts).toContainEqual({ name: 'Newest hour in the index', value: newest });
    };
    const over = { observations: [], clearings: [{ rule: 'index-stale' }] };
    const reindex = async (): Promise<void> => {
      const rebuilds = new Rebuilds(lab.temporal.client);
      await rebuilds.result((await rebuilds.start({ pipeline })).workflowId);
    };
    expect(await watched.told()).toEqual(nothing);

    const query = { term: { hour: nth(1) } };
    const { hits } = (await deps.search.client.search({ index: alias, size: ROWS, _source: false, query })).hits;
    const operations = hits.map(({ _id }) => ({ delete: { _id: _id ?? '' } }));
    await deps.search.client.bulk({ index: alias, refresh: true, operations });
    await lacks(`has nothing newer than ${nth(0)}`, nth(0));
    await reindex();
    expect(await watched.told()).toMatchObject(over);

    const [index = ''] = Object.keys(await indices.getAlias({ name: alias }));
    await indices.deleteAlias({ index, name: alias });
    await lacks('is not there', 'none');
    await indices.putAlias({ index, name: alias, is_write_index: true });
    expect(await watched.told()).toMatchObject(over);

    await indices.delete({ index });
    await lacks('is not there', 'none');
    await reindex();
    expect(await watched.told()).toMatchObject(over);

    serve(3);
    expect(await run(nth(2))).toMatchObject({ outcome: 'completed' });
    serve(3, '');
    const [equation] = (await run(nth(2), { refetch: true })).equations;
    expect(equation?.rows).toMatchObject({ rejected: ROWS, indexed: 0 });
    expect(await watched.told()).toEqual(nothing);
    serve(4);
    await run(nth(2), { refetch: true });
    expect(await watched.told()).toEqual(nothing);
  });

  it('goes by what says that an hour is done, where Temporal has forgotten its run', async () => {
    // A namespace in which it never ran is one that has forgotten it.
    const client = new Client({ connection: lab.temporal.connection, namespace: 'temporal-system' });
    const outside = new Outside();
    outside.schedule({ ...pipeline, schedule: { ...pipeline.schedule, every: '1h', offset: '0s' } });
    const world = { ...outside.world, ran: temporalOf(client, deps.store).ran };
    let memory: WatchMemory = {};
    const at = async (hour: string): Promise<string[]> => {
      outside.now = Date.parse(hour) + 20 * MINUTE;
      const looked = await look(world, memory, outside.now, HOUR);
      ({ memory } = looked);
      expect(looked.watching.problems).toEqual([]);
      return looked.told.flatMap(({ observations, clearings }) => [
        ...observations.map(({ rule, hour: of = '' }) => `seen ${rule} ${hourKey(of)}`),
        ...clearings.map(({ rule, hour: of = '' }) => `over ${rule} ${hourKey(of)}`),
      ]);
    };
    for (const n of [0, 1, 2]) expect(await at(nth(n))).toEqual([]);
    expect(await at(nth(3))).toEqual([`seen run-missed ${hourKey(nth(3))}`]);
    serve(5, '');
    await run(nth(3));
    expect(await at(nth(3))).toEqual(['over run-missed ']);
  });

  it('says nothing of hours that were removed', async () => {
    const { alias } = streamOf(pipeline, 'main');
    const watched = watching();
    expect(await watched.told()).toEqual(nothing);
    // The newest hour stays, and has no rows.
    const given = { pipeline, before: nth(3), dryRun: false };
    expect(await retain(deps, given, unattended)).toMatchObject({ hours: 3, documents: 3 * ROWS });
    await deps.search.client.indices.refresh({ index: alias });
    expect(await watched.told()).toEqual(nothing);
  });

  it('says nothing of an hour that repeats the one before', async () => {
    const watched = watching();
    serve(6);
    await run(nth(4));
    // No hour that is over is asked whether anything has changed.
    expect(await run(toLogicalHour(Date.now()))).toMatchObject({ outcome: 'unchanged', sameAs: nth(4) });
    expect(await watched.told()).toEqual(nothing);
  });

  it('does not take an index that is closed for one that is empty, and goes by the others', async () => {
    const { alias } = streamOf(pipeline, 'main');
    const { indexed } = serversOf(deps);
    expect([...(await indexed([alias, 'sluice-none']))]).toEqual([
      [alias, nth(4)],
      ['sluice-none', false],
    ]);
    await deps.search.client.indices.close({ index: alias });
    expect([...(await indexed([alias, 'sluice-none']))]).toEqual([
      [alias, { why: 'closed' }],
      ['sluice-none', false],
    ]);
  });
});
