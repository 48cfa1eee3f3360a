import { setTimeout as wait } from 'node:timers/promises';
import { readLog } from '../../connectors/kafka-reader.ts';
import { SluiceError } from '../../definition/errors.ts';
import { ids } from '../../definition/names.ts';
import type { BatchRecord } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { ConsumeInput, ConsumeStatus } from '../io.ts';
import { commitBatch } from './batch-record.ts';
import type { EndedBatch } from './manifest.ts';
import { PartitionLander } from './partition-lander.ts';
import { SchemaRegistry } from './schema.ts';

/** How often positions are compared with the broker's, and how long a lag may stand still. */
const WATCH_EVERY_MS = 15_000;
const STALL_AFTER_MS = 60_000;

/** Who wants to know. */
export interface ConsumeHooks {
  /** A batch has been committed. May be told twice of one; never of none. */
  landed(record: BatchRecord, workflowIds: readonly string[]): Promise<void>;
  status?(status: ConsumeStatus): void;
}

/**
 * Lands a topic until the signal aborts. One loop owns all state: kafkajs hands over one fetched batch at a time, and
 * everything that changes a partition happens in there. The position is the chain's head; the group's offsets are for display.
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
  const schemas = new SchemaRegistry(deps.store, input.stream);
  const landers = new Map<number, PartitionLander>();
  const ended = async (batch: string, end: EndedBatch): Promise<void> => {
    const schema = await schemas.get(end.schema);
    const committed = await commitBatch(deps.store, input.stream, batch, input.epoch, schema);
    if (committed) await hooks.landed(committed.record, committed.workflowIds);
  };
  const starts = new Map<number, bigint>();
  let moved = Date.now();

  const joined = async (partitions: readonly number[]): Promise<void> => {
    landers.clear();
    const watermarks = await deps.kafka.watermarks(input.topic);
    for (const partition of partitions) {
      const lander = new PartitionLander(deps.store, input, schemas, partition, { ended, committed });
      await lander.load();
      const { low, high } = watermarks.get(partition) ?? { low: 0n, high: 0n };
      starts.set(partition, lander.startAt(low, high));
      landers.set(partition, lander);
    }
    moved = Date.now();
    report();
  };
  const report = (): void => {
    const status = statusOf(landers);
    hooks.status?.(status);
    ctx.progress({
      rows: status.landedRows,
      note: `${status.manifests} manifests, ${status.openBatches} open batches`,
    });
  };

  const committed = (): void => {
    moved = Date.now();
    report();
  };

  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const reading = readLog(
    deps.kafka,
    ids.group(input.stream, input.shard),
    input.topic,
    {
      position: (partition) => starts.get(partition) ?? 0n,
      joined,
      batch: async (records, control) => {
        const lander = landers.get(records[0]?.partition ?? -1);
        if (!lander) return;
        await lander.take(records, control, signal);
        await control.alive();
        moved = Date.now();
        report();
      },
    },
    signal,
  );
  const watching = watch(deps, input, landers, () => moved, signal);
  try {
    await Promise.race([reading, watching]);
  } finally {
    stop.abort();
    await Promise.allSettled([reading, watching]);
  }
  return statusOf(landers);
}

/** kafkajs may stop fetching without a word: a lag that does not shrink for a minute fails the activity, which starts afresh. */
async function watch(
  deps: StageDeps,
  input: ConsumeInput,
  landers: ReadonlyMap<number, PartitionLander>,
  moved: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await wait(WATCH_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted || Date.now() - moved() < STALL_AFTER_MS) continue;
    const watermarks = await deps.kafka.watermarks(input.topic);
    for (const lander of landers.values()) {
      const { low, high } = watermarks.get(lander.partition) ?? { low: 0n, high: 0n };
      lander.check(low, high);
      if (lander.next >= high) continue;
      throw new SluiceError(
        'ConsumerStalled',
        `Topic ${input.topic}, partition ${lander.partition}: offset ${lander.next} of ${high} has not moved for ` +
          `${Math.round((Date.now() - moved()) / 1000)} s; the consumer starts afresh.`,
      );
    }
    if (landers.size === 0) {
      throw new SluiceError(
        'ConsumerStalled',
        `The consumer of ${input.topic} got no partition for a minute; it starts afresh.`,
      );
    }
  }
}

function statusOf(landers: ReadonlyMap<number, PartitionLander>): ConsumeStatus {
  const sum = (pick: (lander: PartitionLander) => number): number =>
    [...landers.values()].reduce((total, lander) => total + pick(lander), 0);
  return {
    positions: Object.fromEntries([...landers].map(([partition, lander]) => [partition, String(lander.position)])),
    landedRows: sum((lander) => lander.counts.rows),
    resent: sum((lander) => lander.counts.resent),
    foreign: sum((lander) => lander.counts.foreign),
    manifests: sum((lander) => lander.counts.manifests),
    openBatches: sum((lander) => lander.openBatches),
  };
}
