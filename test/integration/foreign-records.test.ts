import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadLetterTopic, keys } from '../../src/definition/names.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { readDeadLetters, replayDeadLetters } from '../../src/inspecting/dead-letters.ts';
import { decodeParquet } from '../../src/formats/parquet.ts';
import { SchemaRegistry } from '../../src/stages/landing/schema.ts';
import { StreamingLab } from '../helpers/streaming-lab.ts';
import { noStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('records that are none of ours', () => {
  let lab: StreamingLab;
  const never = new AbortController().signal;
  const binary = Buffer.from([0xff, 0x00, 0xfe, 0x80]);

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const onePartition = { publish: { partitions: 1, batchRows: 20 } };

  it('become dead letters with their reason, and hold up nothing', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    await lab.produce(stream.topic, [
      { partition: 0, value: binary, headers: { trace: 'abc' } },
      { partition: 0, value: null },
      { partition: 0, value: '{}', headers: { batch: 'b', seq: '0', epoch: '0badf00d', schema: 's', hour: 'h' } },
    ]);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(30));
    await lab.send(pipeline, stream, batch);
    const { status } = await lab.consumeUntil(lab.input(pipeline, stream), lab.isIn(batch));
    expect([status.foreign, status.deadLetters, status.lag]).toEqual([3, 3, 0]);
    const letters = await readDeadLetters(lab.deps, streamOf(pipeline, 'main'), {}, never);
    expect(letters.map(({ offset, reason }) => [offset, reason])).toEqual([
      ['0', 'foreign'],
      ['1', 'foreign'],
      ['2', 'epoch'],
    ]);
    expect(letters[0]?.value?.equals(binary)).toBe(true);
    expect(letters[0]?.headers).toEqual({ trace: 'abc' });
    expect(letters[1]?.value).toBeNull();
    expect(letters[2]?.explanation).toMatch(/epoch 0badf00d/);
  });

  it('stand in the dead-letter topic once for every reader, though a killed consumer sent them twice', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    await lab.produce(stream.topic, [{ partition: 0, value: 'poison' }]);
    const input = lab.input(pipeline, stream, { foreignFlushMs: 1 });
    await lab.consumeUntil(
      input,
      () => false,
      ({ manifests }) => manifests > 0,
    );
    // As if it had died between the send and the manifest.
    await lab.deps.store.remove([keys.manifest(stream.stream, stream.epoch, 0, 0n)]);
    await lab.consumeUntil(
      input,
      () => false,
      ({ manifests }) => manifests > 0,
    );
    expect(await lab.topicSize(deadLetterTopic(stream.topic))).toBe(2);
    expect(await readDeadLetters(lab.deps, streamOf(pipeline, 'main'), {}, never)).toHaveLength(1);
  });

  it('are landed where the definition says so and they fit, by time, and what does not fit is a dead letter', async () => {
    const pipeline = lab.definition({ ...onePartition, land: { type: 'kind', maxRecords: 50, foreign: 'land' } });
    const stream = await lab.prepared(pipeline);
    await lab.produce(stream.topic, [
      { partition: 0, value: '{"id":"x1","kind":"k","amount":1.5,"extra":true}', timestamp: '1790000000000' },
      { partition: 0, value: '{"id":"x2","amount":"not a number"}', timestamp: '1790000000000' },
      { partition: 0, value: '{"id":7}', timestamp: '1790000000000' },
    ]);
    const input = lab.input(pipeline, stream, { foreignFlushMs: 50, foreignSchema: stream.schema });
    const { status } = await lab.consumeUntil(
      input,
      () => false,
      ({ manifests }) => manifests > 0,
    );
    expect([status.foreign, status.deadLetters]).toEqual([3, 1]);
    const [manifest] = await lab.manifestsOf(stream);
    const objects = manifest?.foreignObjects ?? [];
    expect(objects.map(({ date, type, rows }) => [date, type, rows])).toEqual([
      ['2026-09-21', '__HIVE_DEFAULT_PARTITION__', 1],
      ['2026-09-21', 'k', 1],
    ]);
    const schema = await new SchemaRegistry(lab.deps.store, stream.stream).get(stream.schema);
    const rows = await Promise.all(
      objects.map(async ({ key }) => [...decodeParquet(schema.columns, await lab.deps.store.get(key))].flat()),
    );
    expect(rows.flat().map((row) => ({ ...row }))).toEqual([
      { _record: JSON.stringify([stream.epoch, 0, '2']), id: '7', kind: null, amount: null },
      { _record: JSON.stringify([stream.epoch, 0, '0']), id: 'x1', kind: 'k', amount: '1.5' },
    ]);
    const [letter] = await readDeadLetters(lab.deps, streamOf(pipeline, 'main'), {}, never);
    expect(letter).toMatchObject({
      offset: '1',
      reason: 'unreadable',
      explanation: expect.stringMatching(/amount/) as string,
    });
  });

  it('go to their topic again when they are replayed, each once', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    const large = Buffer.alloc(700_000, 7);
    await lab.produce(stream.topic, [
      { partition: 0, value: '{"id":"x1"}' },
      { partition: 0, value: large },
    ]);
    const input = lab.input(pipeline, stream, { foreignFlushMs: 1 });
    await lab.consumeUntil(
      input,
      () => false,
      ({ deadLetters }) => deadLetters === 2,
    );
    const main = streamOf(pipeline, 'main');
    const letters = await readDeadLetters(lab.deps, main, {}, never);
    // One that is too large for more headers is kept beside the topic.
    expect(letters[1]?.value?.equals(large)).toBe(true);
    expect(await replayDeadLetters(lab.deps, main, letters, () => {})).toBe(2);
    const after = await readDeadLetters(lab.deps, main, {}, never);
    expect(after.map(({ replayed }) => replayed)).toEqual([true, true]);
    expect(await replayDeadLetters(lab.deps, main, after, () => {})).toBe(0);
    const landing = lab.input(pipeline, stream, { foreignFlushMs: 1, foreignSchema: stream.schema });
    const { status } = await lab.consumeUntil(
      landing,
      () => false,
      ({ foreign, manifests }) => foreign === 2 && manifests > 0,
    );
    expect(status.foreign - status.deadLetters).toBe(1);
    expect(await readDeadLetters(lab.deps, main, { at: ['0:0'] }, never)).toHaveLength(1);
    expect(await readDeadLetters(lab.deps, main, { reason: 'epoch' }, never)).toEqual([]);
  });
});

describe.skipIf(noStack)('shards', () => {
  let lab: StreamingLab;

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  it('share the partitions, and a batch is committed by whoever lands its last part', async () => {
    const pipeline = lab.definition({ publish: { partitions: 5, batchRows: 20 } });
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(300));
    await lab.send(pipeline, stream, batch);
    const stop = new AbortController();
    const positions = new Map<number, string[]>();
    const run = (shard: number) =>
      lab.consumeUntil(
        lab.input(pipeline, stream, { shard, shards: 2 }),
        lab.isIn(batch),
        (status) => {
          positions.set(shard, Object.keys(status.positions));
          return false;
        },
        stop,
      );
    await Promise.all([run(0), run(1)]);
    expect((await lab.landedOf(stream, batch.batchId)).rows).toBe(300);
    expect(positions).toEqual(
      new Map([
        [0, ['0', '2', '4']],
        [1, ['1', '3']],
      ]),
    );
  });
});

describe.skipIf(noStack)('the memory of a consumer', () => {
  it('is that of four chunks, whatever the number of partitions: chunks end before their time', async () => {
    const lab = await StreamingLab.start();
    try {
      const land = { type: 'kind', maxRecords: 1_000_000, maxBytes: 4_096 };
      const pipeline = lab.definition({ publish: { partitions: 16, batchRows: 5 }, land });
      const stream = await lab.prepared(pipeline);
      const batch = await lab.cleanBatch(pipeline, stream, lab.rows(800));
      // No partition comes to its end, nor to 4,096 bytes: each would wait with what it has, 26 kB in all.
      const stop = new AbortController();
      const progress = ({ rows = 0 }): void => {
        if (rows >= 700) stop.abort();
      };
      await expect(lab.send(pipeline, stream, batch, { signal: stop.signal, progress })).rejects.toThrow(/abort/i);
      const input = lab.input(pipeline, stream);
      const { status } = await lab.consumeUntil(
        input,
        () => false,
        ({ lag, landedRows }) => landedRows >= 700 && lag < 700,
      );
      expect(status.manifests).toBeGreaterThan(0);
      await lab.send(pipeline, stream, batch);
      await lab.consumeUntil(input, lab.isIn(batch));
      expect((await lab.landedOf(stream, batch.batchId)).checksum).toEqual(batch.checksum);
    } finally {
      await lab.stop();
    }
  });
});
