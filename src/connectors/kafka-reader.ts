import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { headersOf, type KafkaConnector } from './kafka.ts';
import { truncated, type BatchControl, type Range, type ReadRecord } from './log.ts';

const IDLE_EVERY_MS = 1_000;

/** What a reader does with the records of one fetched batch, in the order of their offsets. */
export interface LogReader {
  /** Where to read next in a partition; asked at each join of the group. */
  position(partition: number): bigint | Promise<bigint>;
  /** Whether a partition that the group assigns is to be read at all; every one where left out. Asked at each join. */
  owns?(partition: number): boolean;
  /** The partitions assigned at a join. May throw: the reader then fails with that error. */
  joined?(partitions: readonly number[]): Promise<void>;
  /** One batch, and the offset that its partition's next record will get. Never two at once. */
  batch(records: readonly ReadRecord[], control: BatchControl, high: bigint): Promise<void>;
  /** Called now and then, between batches, whether records come or not. */
  idle?(seek: (partition: number, offset: bigint) => void): Promise<void>;
}

/**
 * Reads a topic as a member of `group` until the signal aborts. Positions are the reader's own; the group's offsets decide nothing.
 *
 * kafkajs resolves `run()` at once and, when a handler throws, stops consuming in silence. So this waits for its CRASH
 * event as well, and hands on the handler's own error.
 */
export async function readLog(
  kafka: KafkaConnector,
  group: string,
  topic: string,
  reader: LogReader,
  signal: AbortSignal,
): Promise<void> {
  const consumer = kafka.consumer(group);
  const ended = Promise.withResolvers<void>();
  let failed: unknown;
  const fail = (error: unknown): void => {
    failed ??= error;
    ended.resolve();
  };
  const stop = (): void => ended.resolve();
  const seek = (partition: number, offset: bigint): void => consumer.seek({ topic, partition, offset: String(offset) });
  /** kafkajs calls for each batch, a clock for what is due: this lets one in at a time. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(() => (signal.aborted || failed !== undefined ? undefined : work()));
    last = turn.catch(() => {});
    return turn;
  };
  signal.addEventListener('abort', stop, { once: true });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(failed ?? payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const partitions = payload.memberAssignment[topic] ?? [];
    const owned = partitions.filter((partition) => reader.owns?.(partition) !== false);
    const others = partitions.filter((partition) => !owned.includes(partition));
    void inTurn(async () => {
      // A group of one is given every partition. What is not ours is not fetched.
      if (others.length > 0) consumer.pause([{ topic, partitions: others }]);
      await reader.joined?.(owned);
      for (const partition of owned) seek(partition, await reader.position(partition));
    }).catch(fail);
  });
  const clock = setInterval(() => {
    const idle = reader.idle?.bind(reader);
    if (idle) void inTurn(() => idle(seek)).catch(fail);
  }, IDLE_EVERY_MS);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: async (payload) => {
        try {
          const high = BigInt(payload.batch.highWatermark);
          await inTurn(() => reader.batch(recordsOf(payload), control(consumer, payload), high));
        } catch (error) {
          // The group's own errors must go back to kafkajs, which rejoins; everything else ends the reader.
          if (isGroupError(error)) throw error;
          fail(error);
        }
      },
    });
    if (signal.aborted) stop();
    await ended.promise;
  } catch (error) {
    failed ??= error;
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(clock);
    await Promise.race([consumer.disconnect().catch(() => {}), wait(10_000, undefined, { ref: false })]);
  }
  if (failed !== undefined) throw kafka.unavailable(`reading ${topic}`, failed);
}

function recordsOf({ batch }: EachBatchPayload): ReadRecord[] {
  return batch.messages.map((message) => ({
    partition: batch.partition,
    offset: BigInt(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers),
  }));
}

function control(consumer: Consumer, payload: EachBatchPayload): BatchControl {
  const { topic, partition, messages } = payload.batch;
  const last = messages.at(-1);
  // Without a resolved offset kafkajs would fetch the same batch again.
  if (last) payload.resolveOffset(last.offset);
  return {
    alive: () => payload.heartbeat(),
    seek: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
    show: async (offset) => {
      await consumer.commitOffsets([{ topic, partition, offset: String(offset) }]).catch(() => {});
    },
  };
}

function isGroupError(error: unknown): boolean {
  const type = typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : '';
  return ['REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'NOT_COORDINATOR_FOR_GROUP'].includes(
    type,
  );
}

/**
 * Reads fixed stretches of a topic, once, by a group of its own that is deleted afterwards.
 * @throws SluiceError `LogTruncated` where a stretch begins before what the log still holds.
 */
export async function readRanges(
  kafka: KafkaConnector,
  topic: string,
  ranges: ReadonlyMap<number, Range>,
  each: (record: ReadRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const next = new Map<number, bigint>();
  for (const [partition, range] of ranges) if (range.from < range.to) next.set(partition, range.from);
  if (next.size === 0) return;
  const watermarks = await kafka.watermarks(topic);
  for (const [partition, from] of next) {
    const low = watermarks.get(partition)?.low ?? 0n;
    if (low > from) throw truncated(topic, partition, from, low);
  }
  const done = new AbortController();
  const group = `sluice-bounded-${randomUUID()}`;
  const finish = (): void => {
    if ([...next].every(([partition, at]) => at >= (ranges.get(partition)?.to ?? 0n))) done.abort();
  };
  await readLog(
    kafka,
    group,
    topic,
    {
      position: (partition) => next.get(partition) ?? watermarks.get(partition)?.high ?? 0n,
      batch: async (records, { alive }) => {
        for (const record of records) {
          const expected = next.get(record.partition);
          const to = ranges.get(record.partition)?.to ?? 0n;
          if (expected === undefined || record.offset !== expected || expected >= to) continue;
          each(record);
          next.set(record.partition, record.offset + 1n);
        }
        finish();
        await alive();
      },
    },
    AbortSignal.any([signal, done.signal]),
  );
  await kafka.admin(`group ${group}`, (admin) => admin.deleteGroups([group])).catch(() => {});
  signal.throwIfAborted();
}
