import { readLog } from '../../connectors/kafka-reader.ts';
import { countText } from '../../definition/amounts.ts';
import { ids } from '../../definition/names.ts';
import type { BatchRecord } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { ConsumeInput, ConsumeStatus } from '../io.ts';
import { commitBatch } from './batch-record.ts';
import { DeadLetterQueue } from './dead-letters.ts';
import type { EndedBatch } from './manifest.ts';
import { PartitionLander, type CommittedChunk, type LanderCounts } from './partition-lander.ts';
import { SchemaRegistry } from './schema.ts';
import { startLanders } from './start-landers.ts';
import { watchForStalls } from './stall-watch.ts';

/** Value bytes that the chunks of all partitions may hold together, in chunks of the definition's size. */
const CHUNKS_IN_MEMORY = 4;

/** Who wants to know. */
export interface ConsumeHooks {
  /** A batch has been committed. May be told twice of one; never of none. */
  landed(record: BatchRecord, workflowIds: readonly string[]): Promise<void>;
  status?(status: ConsumeStatus): void;
  /** A chunk has been committed. */
  committed?(chunk: CommittedChunk): void;
}

/**
 * Lands a topic, or the shard of its partitions that the input names, until the signal aborts. One loop owns all state: one fetched batch
 * is handed over at a time, and everything that changes a partition happens in there. The position is the chain's head; the group's
 * offsets are for display. Memory: four chunks of `maxBytes`, whatever the number of partitions, and one fetch.
 *
 * @throws SluiceError `RowsMissing`, `LogTruncated`, `TopicRecreated` where going on would lose rows;
 * `ConsumerStalled`, `KafkaUnavailable`, `StoreUnavailable` where another attempt helps
 */
export async function consume(
  deps: StageDeps,
  input: ConsumeInput,
  ctx: StageContext,
  hooks: ConsumeHooks,
): Promise<ConsumeStatus> {
  const { shard, shards = 1 } = input;
  const schemas = new SchemaRegistry(deps.store, input.stream);
  const letters = new DeadLetterQueue(deps, input);
  const landers = new Map<number, PartitionLander>();
  const highs = new Map<number, bigint>();
  const starts = new Map<number, bigint>();
  let moved = Date.now();

  const report = (): void => {
    const status = statusOf(input.topic, landers, highs);
    hooks.status?.(status);
    ctx.progress({ rows: status.landedRows, note: consumerNote(status), resume: status });
  };
  const landerHooks = {
    ended: async (batch: string, end: EndedBatch): Promise<void> => {
      const schema = await schemas.get(end.schema);
      const committed = await commitBatch(deps.store, input.stream, batch, input.epoch, schema);
      if (committed) await hooks.landed(committed.record, committed.workflowIds);
    },
    committed: (chunk?: CommittedChunk): void => {
      moved = Date.now();
      if (chunk) hooks.committed?.(chunk);
      report();
    },
    deadLetters: (found: Parameters<DeadLetterQueue['send']>[0]) => letters.send(found),
    // Only one that has its share: a small chunk would make room for nothing.
    crowded: (own: number): boolean => {
      const limit = CHUNKS_IN_MEMORY * input.maxBytes;
      return own * landers.size >= limit && sumOf(landers, ({ bytes }) => bytes) > limit;
    },
  };

  const joined = async (partitions: readonly number[]): Promise<void> => {
    landers.clear();
    const joining = partitions.map((at) => new PartitionLander(deps.store, input, schemas, at, landerHooks));
    const found = await startLanders(deps.log, input.topic, joining);
    for (const lander of joining) landers.set(lander.partition, lander);
    for (const [partition, { at, high }] of found) {
      starts.set(partition, at);
      highs.set(partition, high);
    }
    moved = Date.now();
    report();
  };

  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const reading = readLog(
    deps.kafka,
    ids.group(input.stream, shard),
    input.topic,
    {
      owns: (partition) => partition % shards === shard,
      position: (partition) => starts.get(partition) ?? 0n,
      joined,
      batch: async (records, control, high) => {
        const lander = landers.get(records[0]?.partition ?? -1);
        if (!lander) return;
        highs.set(lander.partition, high);
        await lander.take(records, control, signal);
        await control.alive();
        moved = Date.now();
        report();
      },
      idle: async (seek) => {
        for (const lander of landers.values()) {
          const at = await lander.flushForeign(Date.now());
          if (at !== undefined) seek(lander.partition, at);
        }
      },
    },
    signal,
  );
  const watching = watchForStalls(deps, { input, landers, moved: () => moved }, signal);
  try {
    await Promise.race([reading, watching]);
  } finally {
    stop.abort();
    await Promise.allSettled([reading, watching]);
    await letters.close();
  }
  return statusOf(input.topic, landers, highs);
}

/** What a consumer says of itself: `12 manifests, 0 open batches, lag 32,735`. */
export const consumerNote = ({
  manifests,
  openBatches,
  lag,
}: Pick<ConsumeStatus, 'manifests' | 'openBatches' | 'lag'>): string =>
  `${countText(manifests)} manifests, ${countText(openBatches)} open batches, lag ${countText(lag)}`;

type Landers = ReadonlyMap<number, PartitionLander>;

const sumOf = (landers: Landers, pick: (lander: PartitionLander) => number): number =>
  [...landers.values()].reduce((total, lander) => total + pick(lander), 0);

function statusOf(topic: string, landers: Landers, highs: ReadonlyMap<number, bigint>): ConsumeStatus {
  const counted = (name: keyof LanderCounts): number => sumOf(landers, ({ counts }) => counts[name]);
  const offsets = (of: (lander: PartitionLander) => bigint): Record<string, string> =>
    Object.fromEntries([...landers].map(([partition, lander]) => [partition, String(of(lander))]));
  return {
    topic,
    positions: offsets(({ position }) => position),
    reading: offsets(({ next }) => next),
    landedRows: counted('rows'),
    resent: counted('resent'),
    foreign: counted('foreign'),
    deadLetters: counted('deadLetters'),
    lost: counted('lost'),
    manifests: counted('manifests'),
    openBatches: sumOf(landers, (lander) => lander.openBatches),
    lag: sumOf(landers, ({ partition, position }) => Math.max(0, Number((highs.get(partition) ?? 0n) - position))),
  };
}
