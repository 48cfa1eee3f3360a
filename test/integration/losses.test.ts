import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labHour, StreamingLab } from '../helpers/streaming-lab.ts';
import { keys } from '../../src/definition/names.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { acceptLoss, findLosses } from '../../src/stages/landing/losses.ts';
import { rowHeaders } from '../../src/stages/record.ts';
import { noStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('rows that a person gives up', () => {
  let lab: StreamingLab;
  const onePartition = { publish: { partitions: 1, batchRows: 20 } };

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  async function halted(rows: number, cutAt: bigint) {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(rows));
    const published = await lab.send(pipeline, stream, batch);
    await lab.truncate(stream.topic, 0, cutAt);
    const consume = lab.input(pipeline, stream);
    await expect(lab.consumeUntil(consume, () => false)).rejects.toMatchObject({ code: 'LogTruncated' });
    return { pipeline, stream, batch, published, consume };
  }

  const loss = (from: bigint, to: bigint) => ({
    partition: 0,
    from: String(from),
    to: String(to),
    reason: 'disk full',
  });

  it('lets a halted consumer go on, ends the hour’s run as RowsUnaccounted, and another run lands every row', async () => {
    const { pipeline, stream, batch, published, consume } = await halted(60, 10n);
    const other = await lab.cleanBatch(pipeline, stream, lab.rows(33));
    await lab.send(pipeline, stream, other);
    await acceptLoss(lab.deps, { consume, ...loss(0n, 9n) }, Date.now());
    const { landed, status } = await lab.consumeUntil(consume, lab.isIn(other));
    expect(landed.map((record) => record.batch)).toEqual([other.batchId]);
    expect(status.lost).toBe(51);
    const { epoch } = stream;
    const input = { stream: stream.stream, batchId: batch.batchId, published: { epoch, spans: published.spans ?? [] } };
    await expect(findLanded(lab.deps, input)).rejects.toMatchObject({
      code: 'RowsUnaccounted',
      message: expect.stringContaining('disk full') as string,
    });
    const again = await lab.landAndIndex(pipeline, stream, batch);
    expect(again.equation).toMatchObject({ holds: true, rows: { clean: 60, landed: 60, indexed: 60 } });
    expect(again.published).toMatchObject({ committedBefore: false, resumedAfter: 0 });
  });

  it('is refused where the range is not what is missing, and done once however often it is said', async () => {
    const { consume, stream } = await halted(60, 10n);
    const accept = (from: bigint, to: bigint) => acceptLoss(lab.deps, { consume, ...loss(from, to) }, Date.now());
    await expect(accept(5n, 9n)).rejects.toThrow(/begin at 0/);
    await expect(accept(0n, 8n)).rejects.toThrow(/reaches to 9/);
    await expect(accept(0n, 61n)).rejects.toMatchObject({ code: 'LossRefused' });
    await expect(acceptLoss(lab.deps, { consume, ...loss(0n, 9n), partition: 7 }, 1)).rejects.toThrow(/no partition 7/);
    const first = await acceptLoss(lab.deps, { consume, ...loss(0n, 9n) }, 1_000);
    expect(await acceptLoss(lab.deps, { consume, ...loss(0n, 9n) }, 2_000)).toEqual(first);
    expect(await findLosses(lab.deps.store, stream.stream, stream.epoch)).toEqual([first]);
    expect(await lab.manifestsOf(stream)).toHaveLength(1);
  });

  it('leaves a batch whole that lies beside the range', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    const consume = lab.input(pipeline, stream);
    const before = await lab.cleanBatch(pipeline, stream, lab.rows(30));
    await lab.send(pipeline, stream, before);
    const lost = await lab.cleanBatch(pipeline, stream, lab.rows(31));
    await lab.send(pipeline, stream, lost);
    const after = await lab.cleanBatch(pipeline, stream, lab.rows(32));
    const published = await lab.send(pipeline, stream, after);
    await lab.consumeUntil(consume, lab.isIn(before));
    // All of `lost`, its marker included, is gone before anybody has read it.
    await lab.truncate(stream.topic, 0, 63n);
    await expect(lab.consumeUntil(consume, () => false)).rejects.toMatchObject({ code: 'LogTruncated' });
    await acceptLoss(lab.deps, { consume, ...loss(31n, 62n) }, Date.now());
    await lab.consumeUntil(consume, lab.isIn(after));
    const spans = published.spans ?? [];
    const input = { stream: stream.stream, batchId: after.batchId, published: { epoch: stream.epoch, spans } };
    expect(await findLanded(lab.deps, input)).toMatchObject({ rows: 32 });
    expect((await lab.landAndIndex(pipeline, stream, lost)).equation.holds).toBe(true);
  });

  it('commits what is sound before it halts on missing rows, so that exactly the hole is given up', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    const consume = lab.input(pipeline, stream);
    const head = (seq: number) =>
      rowHeaders({ batch: 'forged', seq, epoch: stream.epoch, schema: stream.schema, hour: labHour });
    const row = (seq: number) => ({ partition: 0, key: `["f${seq}"]`, value: `{"id":"f${seq}"}`, headers: head(seq) });
    await lab.produce(stream.topic, [row(0), row(1), row(5), row(6)]);
    await expect(lab.consumeUntil(consume, () => false)).rejects.toThrow(
      /offset 2: batch forged goes on with row 5, but row 2/,
    );
    expect((await lab.manifestsOf(stream)).map(({ first, last }) => [first, last])).toEqual([['0', '1']]);
    await acceptLoss(lab.deps, { consume, ...loss(2n, 2n) }, Date.now());
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(40));
    await lab.send(pipeline, stream, batch);
    const { status } = await lab.consumeUntil(consume, lab.isIn(batch));
    expect(status.lost).toBe(1);
    // The forged batch begins again, whole.
    await lab.produce(stream.topic, [row(0), row(1), row(2), row(3)]);
    const next = await lab.cleanBatch(pipeline, stream, lab.rows(41));
    await lab.send(pipeline, stream, next);
    await lab.consumeUntil(consume, lab.isIn(next));
    const open = (await lab.manifestsOf(stream)).at(-1)?.open['forged'];
    expect(open).toMatchObject({ expected: 4 });
    expect(open?.damaged).toBeUndefined();
  });

  it('ends the run of a batch that the consumer has passed by, and another run lands it', async () => {
    const pipeline = lab.definition(onePartition);
    const stream = await lab.prepared(pipeline);
    const consume = lab.input(pipeline, stream);
    const batch = await lab.cleanBatch(pipeline, stream, lab.rows(30));
    const published = await lab.send(pipeline, stream, batch);
    // As if all of it had been dropped: the chain goes on behind it, and no part was stored.
    const chain = keys.manifest(stream.stream, stream.epoch, 0, 0n);
    const empty = { open: {}, ended: {}, abandoned: [], resent: 31, foreign: 0 };
    const lastRecord = { offset: '30', timestamp: 0, batch: null, seq: null };
    const range = { kind: 'data', epoch: stream.epoch, partition: 0, first: '0', last: '30', previous: null };
    await lab.deps.store.createJson(chain, { ...range, objects: [], ...empty, lastRecord });
    const spans = published.spans ?? [];
    const input = { stream: stream.stream, batchId: batch.batchId, published: { epoch: stream.epoch, spans } };
    expect(await findLanded(lab.deps, input)).toBeUndefined();
    const behind = { ...range, first: '31', last: '31', previous: '0', objects: [], ...empty };
    await lab.deps.store.createJson(keys.manifest(stream.stream, stream.epoch, 0, 31n), {
      ...behind,
      kind: 'loss',
      lastRecord: null,
    });
    await expect(findLanded(lab.deps, input)).rejects.toMatchObject({ code: 'RowsUnaccounted' });
    await lab.produce(stream.topic, [{ partition: 0, value: 'the record at offset 31' }]);
    expect(await lab.send(pipeline, stream, batch)).toMatchObject({ committedBefore: false, resumedAfter: 0 });
    await lab.consumeUntil(consume, lab.isIn(batch));
    expect((await lab.landedOf(stream, batch.batchId)).checksum).toEqual(batch.checksum);
  });
});
