import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { keys } from '../../src/definition/names.ts';
import type { BatchRecord, CleanBatch, HourRecord, PreparedStream } from '../../src/definition/refs.ts';
import { reconcile } from '../../src/stages/accounting/reconcile.ts';
import { unattended, type StageContext, type StageDeps } from '../../src/stages/deps.ts';
import { batchIdOf, sha256Hex } from '../../src/stages/hashing.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, recordId } from '../../src/stages/identity.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import type { ConsumeInput, Landed } from '../../src/stages/io.ts';
import { prepare } from '../../src/stages/preparing/prepare.ts';
import { publish } from '../../src/stages/publishing/publish.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const hour = '2026-11-24T03:00:00Z';

describe.skipIf(noStack)('the streaming contract on real servers', () => {
  let deps: StageDeps;

  beforeAll(async () => {
    deps = stageDeps((await testStack()).environment, `streaming-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    await deps.search.close();
  });

  /** A pipeline of its own per test: nothing is shared but the servers. */
  function definition(overrides: Partial<PipelineInput> = {}) {
    return pipelineSchema.parse({
      name: `s-${randomBytes(4).toString('hex')}`,
      source: { url: 'https://example.org/x.csv' },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal' },
      },
      key: ['id'],
      land: { type: 'kind', maxRecords: 50 },
      publish: { batchRows: 20 },
      ...overrides,
    });
  }

  type Definition = ReturnType<typeof definition>;
  const rowsOf = (count: number) => Array.from({ length: count }, (_, at) => [`r${at}`, `k${at % 3}`, String(at / 8)]);

  async function cleanBatch(pipeline: Definition, prepared: PreparedStream, rows: string[][]): Promise<CleanBatch> {
    const text = ['id,kind,amount', ...rows.map((row) => row.join(','))].join('\n') + '\n';
    const batchId = batchIdOf(streamOf(pipeline, 'main'), hour, sha256Hex(text), prepared.schema);
    const clean = await deps.store.upload(Readable.from([Buffer.from(text)]), () =>
      keys.batch(prepared.stream, hour, batchId, 'clean.csv'),
    );
    const checksum = rows
      .map(([id]) => lanesOf(identityHash(recordId([id ?? '']))))
      .reduce(addChecksums, emptyChecksum);
    const counts = { read: rows.length, clean: rows.length, duplicates: 0, filtered: 0, rejected: 0 };
    return { dataset: 'main', batchId, clean, rows: counts, checksum, rejects: clean, report: clean };
  }

  async function prepared(pipeline: Definition): Promise<PreparedStream> {
    const [main] = await prepare(deps, { pipeline }, unattended);
    if (!main) throw new Error('prepare gave no stream');
    return main;
  }

  const send = (pipeline: Definition, stream: PreparedStream, batch: CleanBatch, ctx: StageContext = unattended) =>
    publish(deps, { pipeline, hour, prepared: stream, batch, workflowId: 'nobody' }, ctx);

  function input(pipeline: Definition, stream: PreparedStream, shard = 0): ConsumeInput {
    const { topic, epoch, life, partitions } = stream;
    const { maxRecords, maxBytes } = pipeline.land;
    return {
      stream: stream.stream,
      topic,
      epoch,
      life,
      partitions,
      shard,
      maxRecords,
      maxBytes,
      abandonAfterMs: 86_400_000,
    };
  }

  /** Runs a consumer until `done`, then stops it. */
  async function consumeUntil(given: ConsumeInput, done: (landed: BatchRecord[]) => boolean, manifests = Infinity) {
    const stop = new AbortController();
    const landed: BatchRecord[] = [];
    const status = await consume(
      deps,
      given,
      { signal: stop.signal, progress: () => {} },
      {
        landed: async (record) => {
          landed.push(record);
          if (done(landed)) stop.abort();
        },
        status: (now) => {
          if (now.manifests >= manifests) stop.abort();
        },
      },
    );
    return { landed, status };
  }

  /** A restarted consumer tells of its last batch once more, so a test waits for the one that it means. */
  const isIn = (batch: CleanBatch) => (landed: BatchRecord[]) =>
    landed.some((record) => record.batch === batch.batchId);

  async function landedOf(stream: PreparedStream, batchId: string): Promise<Landed> {
    const landed = await findLanded(deps, { stream: stream.stream, batchId });
    if (!landed) throw new Error(`batch ${batchId} has not landed`);
    return landed;
  }

  async function commit(stream: PreparedStream, batchId: string): Promise<HourRecord> {
    const landed = await landedOf(stream, batchId);
    return commitHour(deps, { stream: stream.stream, hour, rawSha: 'r', definitionSha: 'd', content: { landed } });
  }

  async function topicSize(topic: string): Promise<number> {
    const watermarks = await deps.kafka.watermarks(topic);
    return [...watermarks.values()].reduce((sum, { low, high }) => sum + Number(high - low), 0);
  }

  async function manifestsOf(stream: PreparedStream): Promise<Manifest[]> {
    const found: Manifest[] = [];
    for await (const { key } of deps.store.list(`landing/${stream.stream}/_manifests/`)) {
      const manifest = await deps.store.findJson<Manifest>(key);
      if (manifest) found.push(manifest);
    }
    return found;
  }

  async function landAndIndex(pipeline: Definition, stream: PreparedStream, batch: CleanBatch) {
    const published = await send(pipeline, stream, batch);
    if (!published.committedBefore) await consumeUntil(input(pipeline, stream), isIn(batch));
    const landed = await landedOf(stream, batch.batchId);
    const hourRecord = await commit(stream, batch.batchId);
    const indexed = await indexBatch(deps, { pipeline, prepared: stream, hourRecord, landed }, unattended);
    const given = { prepared: stream, hourRecord, batch, published, landed, indexed };
    return { hourRecord, indexed, published, equation: await reconcile(deps, given, unattended) };
  }

  it('takes every row once from clean.csv to the index, and the equation holds', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(500));
    const { equation, hourRecord } = await landAndIndex(pipeline, stream, batch);
    expect(equation).toMatchObject({ holds: true, rows: { clean: 500, published: 500, landed: 500, indexed: 500 } });
    expect(hourRecord.generation).toBe(1);
    expect(await topicSize(stream.topic)).toBe(503);
  });

  it('does nothing the second time: no record, no object, no generation', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(100));
    await landAndIndex(pipeline, stream, batch);
    const before = [await topicSize(stream.topic), (await manifestsOf(stream)).length];
    const again = await landAndIndex(pipeline, await prepared(pipeline), batch);
    expect(again.published).toMatchObject({ committedBefore: true, rows: 100 });
    expect(again.hourRecord.generation).toBe(1);
    expect(again.equation.holds).toBe(true);
    expect([await topicSize(stream.topic), (await manifestsOf(stream)).length]).toEqual(before);
  });

  it('makes a new generation of an hour with other content, and only its rows stay in the index', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const rows = rowsOf(100);
    const first = await cleanBatch(pipeline, stream, rows);
    await landAndIndex(pipeline, stream, first);
    const changed = [...rows.slice(1, 50), ['r50', 'changed', '7'], ...rows.slice(51)];
    const second = await landAndIndex(pipeline, stream, await cleanBatch(pipeline, stream, changed));
    expect(second.hourRecord.generation).toBe(2);
    expect(second.indexed).toMatchObject({ indexed: 99, deleted: 1 });
    expect(second.equation.holds).toBe(true);
    const count = await deps.search.client.count({ index: stream.alias });
    expect(count.count).toBe(99);
    const third = await landAndIndex(pipeline, stream, first);
    expect(third.published.committedBefore).toBe(true);
    expect(third.hourRecord).toMatchObject({ generation: 3, batch: first.batchId });
    expect((await deps.search.client.count({ index: stream.alias })).count).toBe(100);
  });

  it('goes on where a stopped attempt left off, without a row twice in the topic', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(500));
    const stop = new AbortController();
    const ctx: StageContext = {
      signal: stop.signal,
      progress: ({ rows }) => {
        if ((rows ?? 0) >= 100) stop.abort();
      },
    };
    await expect(send(pipeline, stream, batch, ctx)).rejects.toThrow(/abort/i);
    const sent = await topicSize(stream.topic);
    expect(sent).toBeGreaterThanOrEqual(100);
    const resumed = await send(pipeline, stream, batch);
    expect(resumed).toMatchObject({ resumedAfter: sent, rows: 500 });
    expect(await topicSize(stream.topic)).toBe(503);
  });

  it('lands the same objects when the consumer is stopped after every manifest', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(400));
    await send(pipeline, stream, batch);
    let rounds = 0;
    while (!(await findLanded(deps, { stream: stream.stream, batchId: batch.batchId }))) {
      await consumeUntil(input(pipeline, stream), (landed) => landed.length > 0, 1);
      rounds += 1;
      expect(rounds).toBeLessThan(30);
    }
    expect(rounds).toBeGreaterThan(3);
    const landed = await landedOf(stream, batch.batchId);
    expect(landed.rows).toBe(400);
    expect(landed.checksum).toEqual(batch.checksum);
    expectOneChain(await manifestsOf(stream));
  });

  it('makes one chain of two consumers that both hold every partition', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batches = [await cleanBatch(pipeline, stream, rowsOf(300)), await cleanBatch(pipeline, stream, rowsOf(301))];
    const stop = new AbortController();
    const seen = new Set<string>();
    const run = (shard: number, maxRecords: number) =>
      consume(
        deps,
        { ...input(pipeline, stream, shard), maxRecords },
        { signal: stop.signal, progress: () => {} },
        {
          landed: async ({ batch }) => {
            seen.add(batch);
            if (seen.size === 2) stop.abort();
          },
        },
      );
    const consumers = [run(0, 50), run(1, 30)];
    for (const batch of batches) await send(pipeline, stream, batch);
    await Promise.all(consumers);
    for (const batch of batches) {
      const landed = await landedOf(stream, batch.batchId);
      expect([landed.rows, landed.checksum]).toEqual([batch.rows.clean, batch.checksum]);
    }
    expectOneChain(await manifestsOf(stream));
  });

  it('finishes what a consumer left that was killed between manifest and batch record', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(50));
    await send(pipeline, stream, batch);
    await consumeUntil(input(pipeline, stream), (landed) => landed.length > 0);
    const left: string[] = [keys.batchRecord(stream.stream, batch.batchId, 1)];
    for await (const { key } of deps.store.list(keys.parts(stream.stream, batch.batchId, stream.epoch))) left.push(key);
    expect(left).toHaveLength(4);
    await deps.store.remove(left);
    const { landed } = await consumeUntil(input(pipeline, stream), (records) => records.length > 0);
    expect(landed[0]).toMatchObject({ batch: batch.batchId, rows: 50 });
  });

  it('drops a batch that is sent a second time after it was landed', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(60));
    await send(pipeline, stream, batch);
    await consumeUntil(input(pipeline, stream), (landed) => landed.length > 0);
    await deps.store.remove([
      keys.plan(stream.stream, hour, batch.batchId, stream.epoch),
      keys.batchRecord(stream.stream, batch.batchId, 1),
    ]);
    await send(pipeline, stream, batch);
    const other = await cleanBatch(pipeline, stream, rowsOf(61));
    await send(pipeline, stream, other);
    const { status } = await consumeUntil(input(pipeline, stream), (landed) =>
      landed.some((r) => r.batch === other.batchId),
    );
    expect(status.resent).toBe(63);
    expect((await landedOf(stream, batch.batchId)).rows).toBe(60);
  });

  it('passes by records that are none of ours', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const producer = deps.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: stream.topic,
      messages: [
        { partition: 0, value: 'poison' },
        { partition: 0, value: null },
      ],
    });
    await producer.disconnect();
    const batch = await cleanBatch(pipeline, stream, rowsOf(30));
    await send(pipeline, stream, batch);
    const { status } = await consumeUntil(input(pipeline, stream), (landed) => landed.length > 0);
    expect(status.foreign).toBe(2);
  });

  it('halts on a log that was cut before it was read, and never resets', async () => {
    const pipeline = definition({ publish: { partitions: 1, batchRows: 20 } });
    const stream = await prepared(pipeline);
    await send(pipeline, stream, await cleanBatch(pipeline, stream, rowsOf(60)));
    await deps.kafka.admin('truncation', async (admin) => {
      await admin.fetchTopicOffsets(stream.topic);
      await admin.deleteTopicRecords({ topic: stream.topic, partitions: [{ partition: 0, offset: '10' }] });
    });
    await expect(consumeUntil(input(pipeline, stream), () => false)).rejects.toMatchObject({ code: 'LogTruncated' });
  });

  it('halts on a topic that was made anew behind its back', async () => {
    const pipeline = definition({ publish: { partitions: 1, batchRows: 20 } });
    const stream = await prepared(pipeline);
    await send(pipeline, stream, await cleanBatch(pipeline, stream, rowsOf(60)));
    await consumeUntil(input(pipeline, stream), (landed) => landed.length > 0);
    await deps.kafka.admin('deletion', (admin) => admin.deleteTopics({ topics: [stream.topic] }));
    await expect.poll(() => deps.kafka.partitionsOf(stream.topic)).toBeUndefined();
    await deps.kafka.createTopic(stream.topic, { partitions: 1, replication: 1, config: {} });
    const producer = deps.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: stream.topic,
      messages: Array.from({ length: 80 }, () => ({ partition: 0, value: 'x' })),
    });
    await producer.disconnect();
    await expect(consumeUntil(input(pipeline, stream), () => false)).rejects.toMatchObject({ code: 'TopicRecreated' });
  });

  it('mints a new epoch for a topic that was deleted, and publishes the hour again there', async () => {
    const pipeline = definition();
    const stream = await prepared(pipeline);
    const batch = await cleanBatch(pipeline, stream, rowsOf(40));
    await send(pipeline, stream, batch);
    await deps.kafka.admin('deletion', (admin) => admin.deleteTopics({ topics: [stream.topic] }));
    await expect.poll(() => deps.kafka.partitionsOf(stream.topic)).toBeUndefined();
    const again = await prepared(pipeline);
    expect(again.epoch).not.toBe(stream.epoch);
    const { equation } = await landAndIndex(pipeline, again, batch);
    expect(equation.holds).toBe(true);
  });

  it('refuses a topic of another pipeline, and one that nobody of ours made', async () => {
    const owner = definition();
    await prepared(owner);
    await expect(prepared(definition({ publish: { topic: owner.name } }))).rejects.toMatchObject({
      code: 'TopicNotOurs',
    });
    const stray = definition();
    await deps.kafka.createTopic(stray.name, { partitions: 3, replication: 1, config: {} });
    await expect(prepared(stray)).rejects.toThrow(/no record of having made it/);
  });

  it('gives two that prepare at once the same epoch', async () => {
    const pipeline = definition();
    const both = await Promise.all([prepared(pipeline), prepared(pipeline)]);
    expect(both[0].epoch).toBe(both[1].epoch);
  });
});

/** Each partition's manifests cover its offsets from 0 without gap or overlap, each naming the one before. */
function expectOneChain(manifests: readonly Manifest[]): void {
  expect(manifests.length).toBeGreaterThan(0);
  for (const partition of new Set(manifests.map((manifest) => manifest.partition))) {
    let next = 0n;
    let previous: string | null = null;
    for (const manifest of manifests.filter((one) => one.partition === partition)) {
      expect([manifest.first, manifest.previous]).toEqual([String(next), previous]);
      next = BigInt(manifest.last) + 1n;
      previous = manifest.first;
    }
  }
}
