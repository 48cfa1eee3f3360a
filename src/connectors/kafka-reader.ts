import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { headersOf, type KafkaConnector } from './kafka.ts';
import { truncated, type BatchControl, type Range, type ReadRecord } from './log.ts';

/** What a reader does with the records of one fetched batch, in the order of their offsets. */
export interface LogReader {
  /** Where to read next in a partition; asked at each join of the group. */
  position(partition: number): bigint | Promise<bigint>;
  /** The partitions assigned at a join. May throw: the reader then fails with that error. */
  joined?(partitions: readonly number[]): Promise<void>;
  /** One batch. `seek` moves the position of its partition; `alive` tells the broker that work goes on. */
  batch(records: readonly ReadRecord[], control: BatchControl): Promise<void>;
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
  signal.addEventListener('abort', stop, { once: true });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(failed ?? payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const partitions = payload.memberAssignment[topic] ?? [];
    void (async () => {
      await reader.joined?.(partitions);
      for (const partition of partitions) {
        consumer.seek({ topic, partition, offset: String(await reader.position(partition)) });
      }
    })().catch(fail);
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: async (payload) => {
        if (signal.aborted || failed !== undefined) return;
        try {
          await reader.batch(recordsOf(payload), control(consumer, payload));
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
