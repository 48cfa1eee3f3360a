import { truncated, type Range } from '../../connectors/log.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { PreparedStream } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { readHeaders } from '../record.ts';

/**
 * How a batch is published in one life of its topic. Create-once before the first send, it governs every attempt:
 * a topic that has grown since does not move a row to another partition.
 */
export interface PublishPlan {
  readonly batch: string;
  readonly epoch: string;
  readonly partitions: number;
  /** High watermark per partition before the first send: the batch's rows are at or after these. */
  readonly from: readonly string[];
}

/** How far a batch has got in one partition. */
export interface PartitionProgress {
  /** Rows 0 … `sent` − 1 are in the log. */
  sent: number;
  ended: boolean;
}

/** Makes the plan of a batch, or reads the one that stands. `fresh`: this attempt made it, so nothing has been sent. */
export async function planBatch(
  deps: Pick<StageDeps, 'store' | 'log'>,
  prepared: PreparedStream,
  hour: LogicalHour,
  batch: string,
): Promise<{ plan: PublishPlan; fresh: boolean }> {
  const key = keys.plan(prepared.stream, hour, batch, prepared.epoch);
  const standing = await deps.store.findJson<PublishPlan>(key);
  if (standing) return { plan: standing, fresh: false };
  const watermarks = await deps.log.watermarks(prepared.topic);
  const from = Array.from({ length: prepared.partitions }, (_, p) => String(watermarks.get(p)?.high ?? 0n));
  const wanted: PublishPlan = { batch, epoch: prepared.epoch, partitions: prepared.partitions, from };
  const { created, value } = await deps.store.createJson(key, wanted);
  return { plan: value, fresh: created };
}

/**
 * Reads from the log how far a batch got. Rows whose newest is older than `staleMs` count as not sent: the consumer may have
 * closed the batch as abandoned, and takes it again from row 0 (or drops what it still has).
 * @throws SluiceError `LogTruncated` where the log no longer reaches back to the plan
 */
export async function progressOf(
  deps: Pick<StageDeps, 'log'>,
  prepared: PreparedStream,
  plan: PublishPlan,
  staleMs: number,
  ctx: StageContext,
): Promise<PartitionProgress[]> {
  const progress = Array.from({ length: plan.partitions }, (): PartitionProgress => ({ sent: 0, ended: false }));
  const newest = plan.from.map(() => 0);
  const watermarks = await deps.log.watermarks(prepared.topic);
  const ranges = new Map<number, Range>();
  for (const [partition, from] of plan.from.entries()) {
    const { low, high } = watermarks.get(partition) ?? { low: 0n, high: 0n };
    if (BigInt(from) < low) throw truncated(prepared.topic, partition, BigInt(from), low);
    ranges.set(partition, { from: BigInt(from), to: high });
  }
  let read = 0;
  await deps.log.readRanges(
    prepared.topic,
    ranges,
    (record) => {
      read += 1;
      if (read % 5_000 === 0) ctx.progress({ note: `looking for the batch in the topic: ${read} records` });
      const head = readHeaders(record, plan.epoch);
      const part = progress[record.partition];
      if (head?.batch !== plan.batch || !part) return;
      if (head.marker) part.ended = true;
      else if (head.seq === part.sent) part.sent += 1;
      newest[record.partition] = record.timestamp;
    },
    ctx.signal,
  );
  return progress.map((part, partition) =>
    !part.ended && Date.now() - (newest[partition] ?? 0) > staleMs ? { sent: 0, ended: false } : part,
  );
}
