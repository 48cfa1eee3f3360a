import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { httpProxy, type HttpProxy } from '../faults/http-proxy.ts';
import { kafkaProxy, type KafkaProxy } from '../faults/kafka-proxy.ts';
import { TestApp } from '../helpers/app.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { untilStage } from '../helpers/until-stage.ts';

/** Milliseconds that each of them takes longer for an answer. */
const late = { source: 0, broker: 0, store: 0, search: 0 };
const quick = { ...late };

describe.skipIf(noStack)('the report of a run names what slowed it', () => {
  let app: TestApp;
  let consumer: WorkerProcess | undefined;
  let proxies: (HttpProxy | KafkaProxy)[];
  let input: PipelineInput;
  let next = 0;

  beforeAll(async () => {
    const { environment } = await testStack();
    const slow = (url: string | undefined, server: 'store' | 'search'): Promise<HttpProxy> =>
      httpProxy(url ?? '', async () => {
        await wait(late[server]);
        return undefined;
      });
    const broker = await kafkaProxy(
      environment['SLUICE_KAFKA_BROKERS'] ?? '',
      () => false,
      () => late.broker,
    );
    const store = await slow(environment['SLUICE_S3_ENDPOINT'], 'store');
    const search = await slow(environment['SLUICE_ELASTICSEARCH_URL'], 'search');
    proxies = [broker, store, search];
    app = await TestApp.start({
      SLUICE_KAFKA_BROKERS: broker.address,
      SLUICE_S3_ENDPOINT: store.url,
      SLUICE_ELASTICSEARCH_URL: search.url,
      // One place: a second run waits for the first one's. What reads the topic is a process of its own.
      SLUICE_WORKER_QUEUES: 'light=20,compute=1,watch=20',
    });
    const reading = { ...app.environment, SLUICE_WORKER_QUEUES: 'streaming=500' };
    consumer = await startWorker(reading, join(app.folder, 'consumer.log'));
    ({ input } = app.define());
    app.serve(input, {
      body: '',
      handler: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/csv' });
        setTimeout(() => response.end(csv(next)), late.source);
      },
    });
    for (let hour = 0; hour < 3; hour += 1) await run();
  });

  afterAll(async () => {
    await consumer?.stop();
    await app?.stop();
    for (const proxy of proxies ?? []) await proxy.close();
  });

  const csv = (seed: number): string =>
    `id,kind,amount\n${Array.from({ length: 300 }, (_, row) => `${seed}-${row},k${row % 3},${row}.5`).join('\n')}\n`;

  async function launch(definition = input): Promise<string> {
    const hour = `2026-11-20T${String(next).padStart(2, '0')}:00:00Z`;
    next += 1;
    return (await app.client.runs.launch({ pipeline: definition, hour, useCurrent: true })).workflowId;
  }

  const run = async (definition = input): Promise<RunReport> => app.client.runs.wait(await launch(definition));

  async function slowed(by: Partial<typeof late>): Promise<NonNullable<RunReport['timing']>> {
    Object.assign(late, by);
    try {
      const report = await run();
      if (!report.timing) throw new Error('nobody judged the run');
      return report.timing;
    } finally {
      Object.assign(late, quick);
    }
  }

  it('a source that is long silent', async () => {
    const { bottleneck, slower } = await slowed({ source: 6_000 });
    expect(bottleneck).toMatchObject({ cause: 'source', stage: 'import' });
    expect(bottleneck?.sentence).toMatch(
      /^import waited \d\d % of the run on the source; last 3 runs (less than )?\d+ %$/,
    );
    expect(slower).toMatch(/; import waited \S+ s longer on the source$/);
  });

  it('a slow broker', async () => {
    const { bottleneck, servers } = await slowed({ broker: 200 });
    expect(bottleneck).toMatchObject({ cause: 'broker' });
    expect(bottleneck?.sentence).toMatch(/ waited \d\d % of (the run|its time) on the broker\b.*; last \d runs .*%$/);
    expect(servers?.search).toMatchObject([expect.stringContaining('Elasticsearch: ')]);
  });

  it('a slow consumer, and not the broker that it reads from', async () => {
    const { pid } = consumer ?? {};
    if (pid === undefined) throw new Error('nothing reads the topic');
    process.kill(pid, 'SIGSTOP');
    try {
      const workflowId = await launch();
      await untilStage(app.client, workflowId, 'land');
      await wait(8_000);
      process.kill(pid, 'SIGCONT');
      const { timing } = await app.client.runs.wait(workflowId);
      expect(timing?.bottleneck).toMatchObject({ cause: 'consumer', stage: 'land' });
      expect(timing?.bottleneck?.sentence).toMatch(
        /^land waited \d\d % of the run on the consumer; last \d runs (less than )?\d+ %$/,
      );
      expect(timing?.slower).toMatch(/; land waited \S+ s longer on the consumer$/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('a slow object store', async () => {
    const { bottleneck, servers } = await slowed({ store: 150 });
    expect(bottleneck).toMatchObject({ cause: 'store' });
    expect(bottleneck?.sentence).toMatch(
      / waited \d\d % of (the run|its time) on the object store\b.*; last \d runs .*%$/,
    );
    expect(servers?.broker).toMatchObject([
      expect.stringMatching(/^Kafka: 1 broker is up, 0 of 3 partitions lack a copy$/),
    ]);
  });

  it('a slow Elasticsearch', async () => {
    const { bottleneck } = await slowed({ search: 700 });
    expect(bottleneck).toMatchObject({ cause: 'search', stage: 'index' });
    expect(bottleneck?.sentence).toMatch(
      / waited \d\d % of (the run|its time) on Elasticsearch\b.*; last \d runs .*%$/,
    );
    expect(bottleneck?.evidence.join()).toContain('Elasticsearch: ');
  });

  it('no free place on a worker', async () => {
    const { input: other } = app.define();
    const { promise: asked, resolve: hear } = Promise.withResolvers<void>();
    app.serve(other, {
      body: '',
      handler: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/csv' });
        hear();
        setTimeout(() => response.end(csv(99)), 12_000);
      },
    });
    const first = run(other);
    await asked;
    const { bottleneck } = await slowed({});
    await first;
    expect(bottleneck).toMatchObject({ cause: 'queue', stage: 'import' });
    expect(bottleneck?.sentence).toMatch(
      / waited \d\d % of (the run|its time) for a free place on a worker\b.*; last \d runs .*%$/,
    );
  });
});
