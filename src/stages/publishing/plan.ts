import type { Range } from '../../connectors/log.ts';
import { countText } from '../../definition/amounts.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { PreparedStream, Span } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { lossOf, passedBy } from '../landing/losses.ts';
import { readHeaders } from '../record.ts';

/** No offset is larger. */
const FAR = '9223372036854775807';

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
  /** Time of its newest record, in milliseconds since 1970; absent where nothing of it counts as sent. */
  newest?: number;
  /** Where the batch lies there; absent where it does not. */
  span?: Span;
}

/**
 * Makes the plan of a batch, or reads the one that stands. `fresh`: this attempt made it, so nothing has been sent. Where a person gave up
 * offsets that may hold rows of the batch, the plan is void and the next one begins behind them: the consumer drops what it has.
 */
export async function planBatch(
  deps: Pick<StageDeps, 'store' | 'log'>,
  prepared: PreparedStream,
  hour: LogicalHour,
  batch: string,
): Promise<{ plan: PublishPlan; fresh: boolean }> {
  const { stream, epoch, topic } = prepared;
  for (let n = 1; ; n += 1) {
    const key = keys.plan(stream, hour, batch, epoch, n);
    let plan = await deps.store.findJson<PublishPlan>(key);
    if (!plan) {
      const watermarks = await deps.log.watermarks(topic);
      const from = Array.from({ length: prepared.partitions }, (_, p) => String(watermarks.get(p)?.high ?? 0n));
      const wanted: PublishPlan = { batch, epoch, partitions: prepared.partitions, from };
      const made = await deps.store.createJson(key, wanted);
      if (made.created) return { plan: made.value, fresh: true };
      plan = made.value;
    }
    const spans = plan.from.map((first): Span => ({ first, last: FAR }));
    if (!(await lossOf(deps.store, stream, { id: batch, epoch, spans }))) return { plan, fresh: false };
  }
}

/**
 * Reads from the log how far a batch got; partitions of it that have landed need not be there any more. Rows whose newest is older than
 * `staleMs` count as not sent: the consumer may have closed the batch as abandoned, and takes it again from row 0 (or drops what it
 * still has). The same where the log no longer reaches back to the plan: what is sent again is dropped, and where rows are lost the
 * consumer halts. The same where the consumer has passed it by.
 */
export async function progressOf(
  deps: Pick<StageDeps, 'store' | 'log'>,
  prepared: PreparedStream,
  plan: PublishPlan,
  staleMs: number,
  ctx: StageContext,
): Promise<PartitionProgress[]> {
  const progress = plan.from.map((): PartitionProgress => ({ sent: 0, ended: false }));
  const watermarks = await deps.log.watermarks(prepared.topic);
  const ranges = new Map<number, Range>();
  for (const [partition, from] of plan.from.entries()) {
    if (await deps.store.exists(keys.part(prepared.stream, plan.batch, plan.epoch, partition))) {
      progress[partition] = { sent: 0, ended: true };
      continue;
    }
    const { low, high } = watermarks.get(partition) ?? { low: 0n, high: 0n };
    ranges.set(partition, { from: BigInt(from) < low ? low : BigInt(from), to: high });
  }
  let read = 0;
  await deps.log.readRanges(
    prepared.topic,
    ranges,
    (record) => {
      read += 1;
      if (read % 5_000 === 0) ctx.progress({ note: `looking for the batch in the topic: ${countText(read)} records` });
      const head = readHeaders(record, plan.epoch);
      const part = progress[record.partition];
      if (head?.batch !== plan.batch || !part) return;
      // A marker behind rows that the log no longer has ends nothing: nobody can tell here whether those were landed.
      if (head.marker) part.ended ||= head.seq === part.sent;
      // An attempt began again, as below: of what was there before nothing may be left at the consumer.
      else if (head.seq === 0 && record.timestamp - (part.newest ?? 0) > staleMs) part.sent = 1;
      else if (head.seq === part.sent) part.sent += 1;
      part.span = { first: part.span?.first ?? String(record.offset), last: String(record.offset) };
      part.newest = Math.max(part.newest ?? 0, record.timestamp);
    },
    ctx.signal,
  );
  for (const [partition, { span, ended }] of progress.entries()) {
    const spans = progress.map((_, at) => (at === partition ? span : undefined));
    const batch = { id: plan.batch, epoch: plan.epoch, spans };
    if (ended && span && (await passedBy(deps.store, prepared.stream, batch)) !== undefined) {
      progress[partition] = { sent: 0, ended: false };
    }
  }
  return progress.map((part) =>
    !part.ended && Date.now() - (part.newest ?? 0) > staleMs ? { sent: 0, ended: false } : part,
  );
}
