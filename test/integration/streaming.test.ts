import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import { publishedRows } from '../../src/stages/accounting/published-rows.ts';
import { unattended, type StageContext } from '../../src/stages/deps.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import { noStack } from '../helpers/stack.ts';
import { labHour, StreamingLab } from '../helpers/streaming-lab.ts';

describe.skipIf(noStack)('the streaming contract on real servers', () => {
  let lab: StreamingLab;

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  it('takes every row once from clean.csv to the index, and the equation holds', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(500));
    const { equation, hourRecord } = await lab.landAndIndex(pipeline, stream, batch);
    expect(equation).toMatchObject({ holds: true, rows: { clean: 500, published: 500, landed: 500, indexed: 500 } });
    expect(hourRecord.generation).toBe(1);
    expect(await lab.topicSize(stream.topic)).toBe(503);
  });

  it('counts what was published in the topic itself, by identity, for as long as it is there', async () => {
    const pipeline = lab.definition({ publish: { partitions: 1, batchRows: 20 } });
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(50));
    const published = await lab.send(pipeline, stream, batch);
    const { countedIn, ...counted } = await publishedRows(lab.deps, stream, published, unattended);
    expect([countedIn, counted]).toEqual(['topic', { rows: 50, checksum: batch.checksum }]);
    // Another batch between, and rows sent twice, are none of it.
    const other = await lab.cleanBatch(pipeline, stream, lab.rows(7));
    const spans = (await lab.send(pipeline, stream, other)).spans?.map(({ last }) => ({ first: '0', last })) ?? [];
    expect((await publishedRows(lab.deps, stream, { ...published, spans }, unattended)).rows).toBe(50);
    await lab.truncate(stream.topic, 0, 5n);
    const gone = await publishedRows(lab.deps, stream, published, unattended);
    expect(gone).toEqual({ countedIn: 'publisher', rows: 50, checksum: batch.checksum });
  });

  it('does nothing the second time: no record, no object, no generation', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(100));
    await lab.landAndIndex(pipeline, stream, batch);
    const before = [await lab.topicSize(stream.topic), (await lab.manifestsOf(stream)).length];
    const again = await lab.landAndIndex(pipeline, await lab.prepared(pipeline), batch);
    expect(again.published).toMatchObject({ committedBefore: true, rows: 100 });
    expect(again.hourRecord.generation).toBe(1);
    expect(again.equation.holds).toBe(true);
    expect([await lab.topicSize(stream.topic), (await lab.manifestsOf(stream)).length]).toEqual(before);
  });

  it('makes a new generation of an hour with other content, and only its rows stay in the index', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const rows = lab.rows(100);
    const first = await lab.cleanBatch(pipeline, stream, rows);
    await lab.landAndIndex(pipeline, stream, first);
    const changed = [...rows.slice(1, 50), ['r50', 'changed', '7'], ...rows.slice(51)];
    const second = await lab.landAndIndex(pipeline, stream, await lab.cleanBatch(pipeline, stream, changed));
    expect(second.hourRecord.generation).toBe(2);
    expect(second.indexed).toMatchObject({ indexed: 99, deleted: 1 });
    expect(second.equation.holds).toBe(true);
    const count = await lab.deps.search.client.count({ index: stream.alias });
    expect(count.count).toBe(99);
    const third = await lab.landAndIndex(pipeline, stream, first);
    expect(third.published.committedBefore).toBe(true);
    expect(third.hourRecord).toMatchObject({ generation: 3, batch: first.batchId });
    expect((await lab.deps.search.client.count({ index: stream.alias })).count).toBe(100);
  });

  it('goes on where a stopped attempt left off, without a row twice in the topic', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(500));
    const stop = new AbortController();
    const ctx: StageContext = {
      signal: stop.signal,
      progress: ({ rows }) => {
        if ((rows ?? 0) >= 100) stop.abort();
      },
    };
    await expect(lab.send(pipeline, stream, batch, ctx)).rejects.toThrow(/abort/i);
    const sent = await lab.topicSize(stream.topic);
    expect(sent).toBeGreaterThanOrEqual(100);
    const resumed = await lab.send(pipeline, stream, batch);
    expect(resumed).toMatchObject({ resumedAfter: sent, rows: 500 });
    expect(await lab.topicSize(stream.topic)).toBe(503);
  });

  it('lands the same objects when the consumer is stopped after every manifest', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(400));
    await lab.send(pipeline, stream, batch);
    let rounds = 0;
    while (!(await findLanded(lab.deps, { stream: stream.stream, batchId: batch.batchId }))) {
      await lab.consumeUntil(
        lab.input(pipeline, stream),
        (landed) => landed.length > 0,
        ({ manifests }) => manifests >= 1,
      );
      rounds += 1;
      expect(rounds).toBeLessThan(30);
    }
    expect(rounds).toBeGreaterThan(3);
    const landed = await lab.landedOf(stream, batch.batchId);
    expect(landed.rows).toBe(400);
    expect(landed.checksum).toEqual(batch.checksum);
    expectOneChain(await lab.manifestsOf(stream));
  });

  it('makes one chain of two consumers that both hold every partition', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batches = [
      await lab.cleanBatch(pipeline, stream, lab.rows(300)),
      await lab.cleanBatch(pipeline, stream, lab.rows(301)),
    ];
    const stop = new AbortController();
    const seen = new Set<string>();
    const run = (shard: number, maxRecords: number) =>
      consume(
        lab.deps,
        lab.input(pipeline, stream, { shard, maxRecords }),
        { signal: stop.signal, progress: () => {} },
        {
          landed: async ({ batch }) => {
            seen.add(batch);
            if (seen.size === 2) stop.abort();
          },
        },
      );
    const consumers = [run(0, 50), run(1, 30)];
    for (const batch of batches) await lab.send(pipeline, stream, batch);
    await Promise.all(consumers);
    for (const batch of batches) {
      const landed = await lab.landedOf(stream, batch.batchId);
      expect([landed.rows, landed.checksum]).toEqual([batch.rows.clean, batch.checksum]);
    }
    expectOneChain(await lab.manifestsOf(stream));
  });

  it('finishes what a consumer left that was killed between manifest and batch record', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(50));
    await lab.send(pipeline, stream, batch);
    await lab.consumeUntil(lab.input(pipeline, stream), (landed) => landed.length > 0);
    const left: string[] = [keys.batchRecord(stream.stream, batch.batchId, 1)];
    for await (const { key } of lab.deps.store.list(keys.parts(stream.stream, batch.batchId, stream.epoch)))
      left.push(key);
    expect(left).toHaveLength(4);
    await lab.deps.store.remove(left);
    const { landed } = await lab.consumeUntil(lab.input(pipeline, stream), (records) => records.length > 0);
    expect(landed[0]).toMatchObject({ batch: batch.batchId, rows: 50 });
  });

  it('drops a batch that is sent a second time after it was landed', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(60));
    await lab.send(pipeline, stream, batch);
    await lab.consumeUntil(lab.input(pipeline, stream), (landed) => landed.length > 0);
    await lab.deps.store.remove([
      keys.plan(stream.stream, labHour, batch.batchId, stream.epoch),
      keys.batchRecord(stream.stream, batch.batchId, 1),
    ]);
    await lab.send(pipeline, stream, batch);
    const other = await lab.cleanBatch(pipeline, stream, lab.rows(61));
    await lab.send(pipeline, stream, other);
    const { status } = await lab.consumeUntil(lab.input(pipeline, stream), (landed) =>
      landed.some((r) => r.batch === other.batchId),
    );
    expect(status.resent).toBe(63);
    expect((await lab.landedOf(stream, batch.batchId)).rows).toBe(60);
  });

  it('passes by records that are none of ours', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const producer = lab.deps.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: stream.topic,
      messages: [
        { partition: 0, value: 'poison' },
        { partition: 0, value: null },
      ],
    });
    await producer.disconnect();
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(30));
    await lab.send(pipeline, stream, batch);
    const { status } = await lab.consumeUntil(lab.input(pipeline, stream), (landed) => landed.length > 0);
    expect(status.foreign).toBe(2);
  });

  it('halts on a log that was cut before it was read, and never resets', async () => {
    const pipeline = lab.definition({ publish: { partitions: 1, batchRows: 20 } });
    const stream = await lab.prepared(pipeline);
    await lab.send(pipeline, stream, await lab.cleanBatch(pipeline, stream, lab.rows(60)));
    await lab.deps.kafka.admin('truncation', async (admin) => {
      await admin.fetchTopicOffsets(stream.topic);
      await admin.deleteTopicRecords({ topic: stream.topic, partitions: [{ partition: 0, offset: '10' }] });
    });
    await expect(lab.consumeUntil(lab.input(pipeline, stream), () => false)).rejects.toMatchObject({
      code: 'LogTruncated',
    });
  });

  it('halts on a topic that was made anew behind its back', async () => {
    const pipeline = lab.definition({ publish: { partitions: 1, batchRows: 20 } });
    const stream = await lab.prepared(pipeline);
    await lab.send(pipeline, stream, await lab.cleanBatch(pipeline, stream, lab.rows(60)));
    await lab.consumeUntil(lab.input(pipeline, stream), (landed) => landed.length > 0);
    await lab.deps.kafka.admin('deletion', (admin) => admin.deleteTopics({ topics: [stream.topic] }));
    await expect.poll(() => lab.deps.kafka.partitionsOf(stream.topic)).toBeUndefined();
    await lab.deps.kafka.createTopic(stream.topic, { partitions: 1, replication: 1, config: {} });
    const producer = lab.deps.kafka.producer();
    await producer.connect();
    await producer.send({
      topic: stream.topic,
      messages: Array.from({ length: 80 }, () => ({ partition: 0, value: 'x' })),
    });
    await producer.disconnect();
    await expect(lab.consumeUntil(lab.input(pipeline, stream), () => false)).rejects.toMatchObject({
      code: 'TopicRecreated',
    });
  });

  it('mints a new epoch for a topic that was deleted, and publishes the hour again there', async () => {
    const pipeline = lab.definition();
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(40));
    await lab.send(pipeline, stream, batch);
    await lab.deps.kafka.admin('deletion', (admin) => admin.deleteTopics({ topics: [stream.topic] }));
    await expect.poll(() => lab.deps.kafka.partitionsOf(stream.topic)).toBeUndefined();
    const again = await lab.prepared(pipeline);
    expect(again.epoch).not.toBe(stream.epoch);
    const { equation } = await lab.landAndIndex(pipeline, again, batch);
    expect(equation.holds).toBe(true);
  });

  it('refuses a topic of another pipeline, and one that nobody of ours made', async () => {
    const owner = lab.definition();
    await lab.prepared(owner);
    await expect(lab.prepared(lab.definition({ publish: { topic: owner.name } }))).rejects.toMatchObject({
      code: 'TopicNotOurs',
    });
    const stray = lab.definition();
    await lab.deps.kafka.createTopic(stray.name, { partitions: 3, replication: 1, config: {} });
    await expect(lab.prepared(stray)).rejects.toThrow(/no record of having made it/);
  });

  it('gives two that prepare at once the same epoch', async () => {
    const pipeline = lab.definition();
    const both = await Promise.all([lab.prepared(pipeline), lab.prepared(pipeline)]);
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
