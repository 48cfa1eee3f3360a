import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaConnector } from '../../src/connectors/kafka.ts';
import { describeTopic } from '../../src/connectors/kafka-topic.ts';
import { runningStack, signalServer, up } from '../../stack/index.ts';
import { StackProgress } from '../../stack/progress.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { queryHour, readTopic, search } from '../helpers/bystander.ts';
import { noZooKeeper, zooKeeperStack } from '../helpers/stack.ts';

const pipelines = join(import.meta.dirname, '..', '..', 'pipelines');
const rows = 32_735;

describe.skipIf(noZooKeeper)('on Kafka with ZooKeeper', () => {
  let app: TestApp;
  let broadband: Pipeline;
  let hour: string;
  let first: RunReport;

  async function run(pipeline: Pipeline | PipelineInput, options: { hour?: string; force?: boolean } = {}) {
    const launched = await app.client.runs.launch({ pipeline, ...options });
    return launched.report ?? app.client.runs.result(launched.workflowId);
  }

  /** The command line with the stack that a test names, as a user has it: no variable leads anywhere. */
  function stack(...args: string[]) {
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(SLUICE|TEMPORAL)_/.test(name)),
    );
    return app.cli(['stack', ...args, '--state', zooKeeperStack()], environment);
  }

  beforeAll(async () => {
    const running = await runningStack({ state: zooKeeperStack() });
    app = await TestApp.start(running?.environment);
    const shipped = await loadDefinition(join(pipelines, 'broadband.yaml'));
    const { name } = app.define().pipeline;
    broadband = {
      ...shipped,
      name,
      source: { ...shipped.source, url: `${app.source}/${name}.csv` },
      publish: { ...shipped.publish, topic: name },
      index: { ...shipped.index, name },
    };
    app.serve(broadband, { body: await readFile(join(pipelines, 'data', 'broadband_data_zipcode.csv')) });
    hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString().replace('.000Z', 'Z');
    first = await run(broadband, { hour });
  });

  afterAll(async () => {
    await app?.stop();
  });

  it('an hour goes from the file to the documents, and every row is accounted for', async () => {
    const end = { clean: rows, published: rows, landed: rows, indexed: rows };
    expect(first.equations[0]).toMatchObject({ holds: true, rows: { read: rows, ...end } });
    expect(first.equations[1]).toMatchObject({ dataset: 'by_state', holds: true, rows: { read: 51, indexed: 51 } });
    expect(first.prepared?.changes).toContainEqual(
      expect.stringMatching(`^created topic ${broadband.name} \\(3 partitions, epoch [0-9a-f]{8}\\)$`),
    );
    expect(first.prepared?.warnings).toEqual([]);
    const records = (await readTopic(app.environment, broadband.name)).filter(({ key }) => key !== '');
    expect(records).toHaveLength(rows);
    expect(await search(app.environment, `${broadband.name}/_count`)).toMatchObject({ count: rows });
    const landed = await queryHour(app.environment, broadband.name, hour, `SELECT count(*)::INTEGER AS n FROM t`);
    expect(landed).toEqual([{ n: rows }]);
  });

  it('an hour that is forced changes nothing', async () => {
    const again = await run(broadband, { hour, force: true });
    expect(again.runId).not.toBe(first.runId);
    expect(again.batches).toEqual(first.batches);
    expect(again.generations).toEqual(first.generations);
    expect(again.prepared).toBeUndefined();
    expect(await search(app.environment, `${broadband.name}/_count`)).toMatchObject({ count: rows });
  });

  it('status shows imok, the registration and the topic; check asks ZooKeeper too', async () => {
    const status = await stack('status', '--only', 'zookeeper,kafka');
    expect({ code: status.code, err: status.err }).toMatchObject({ code: 0 });
    expect(status.out).toMatch(/^zookeeper +running +\d+ +\d+ +3\.8\.4$/m);
    expect(status.out).toMatch(/^kafka +running +\d+ +\d+ +3\.9\.1$/m);
    expect(status.out).toContain('zookeeper: imok, standalone, 3.8.4; broker 1 registered, a controller\n');
    expect(status.out).toContain('kafka: broker 1 registered, controller 1\n');
    expect(status.out).toMatch(new RegExp(`^kafka: topics \\(partitions\\): .*\\b${broadband.name} \\(3\\)`, 'm'));
    const check = await app.cli(['check']);
    expect(check).toMatchObject({ code: 0 });
    expect(check.out).toMatch(/^ok +ZooKeeper +imok, standalone, 3\.8\.4; broker 1 registered, a controller$/m);
    expect(check.out).toMatch(/^ok +Kafka +broker 1, controller 1; topic made, record written/m);
  });

  it('a topic grows under its consumer and gets its settings back, and the report tells of it', async () => {
    const csv = ['id,kind,amount', ...Array.from({ length: 300 }, (_, at) => `r${at},k,${at}`)].join('\n');
    const { input, pipeline } = app.define({ publish: { partitions: 1 } });
    app.serve(pipeline, { body: csv });
    const one = await run(input, { hour });
    expect(one.equations[0]).toMatchObject({ holds: true, rows: { landed: 300 } });
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: input.name, configEntries }];
    const kafka = new KafkaConnector({ brokers: [app.environment['SLUICE_KAFKA_BROKERS'] ?? ''] });
    await kafka.admin('settings', (admin) => admin.alterConfigs({ validateOnly: false, resources }));
    await expect
      .poll(async () => (await describeTopic(kafka, input.name))?.settings)
      .toMatchObject({ 'cleanup.policy': 'compact' });
    app.serve(pipeline, { body: `${csv}\nr300,k,1` });
    const launched = await app.client.runs.launch({
      pipeline: { ...input, publish: { partitions: 4 } },
      hour,
      refetch: true,
    });
    const two = await app.client.runs.result(launched.workflowId);
    expect(two.equations[0]).toMatchObject({ holds: true, rows: { landed: 301, indexed: 301 } });
    // Whoever set it by hand took the topic's other settings away.
    expect(two.prepared?.changes).toEqual([
      `topic ${input.name}: partitions 1 → 4`,
      `topic ${input.name}: cleanup.policy compact → delete`,
      `topic ${input.name}: retention.ms 604800000 (7d) → 2592000000 (30d)`,
      `topic ${input.name}: max.message.bytes 1048588 → 8388608`,
    ]);
  });

  it('a run says that ZooKeeper is away, and the hour goes through when it is back', async () => {
    const { input, pipeline } = app.define({ retries: { attempts: 2, initialInterval: '100ms' } });
    app.serve(pipeline, { body: 'id,kind,amount\nr1,k,1\n' });
    await signalServer(zooKeeperStack(), 'zookeeper', 'SIGKILL');
    try {
      await expect(run(input, { hour })).rejects.toThrow(/ZooKeeper does not serve \(127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    } finally {
      await up({ state: zooKeeperStack(), only: ['zookeeper'], progress: new StackProgress(() => {}) });
    }
    await expect.poll(async () => (await app.cli(['check'])).code, { timeout: 60_000, interval: 500 }).toBe(0);
    expect((await run(input, { hour })).equations[0]).toMatchObject({ holds: true, rows: { indexed: 1 } });
  });

  it('keeps its kind: the other one would not have the topics that the object store tells of', async () => {
    const other = await stack('up', '--only', 'kafka', '--kafka', 'kraft');
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/^This stack has Kafka with ZooKeeper, .* --state DIR for the other kind/m);
  });
});
