import { setTimeout as wait } from 'node:timers/promises';
import { SluiceError } from '../../definition/errors.ts';
import type { StageDeps } from '../deps.ts';
import type { ConsumeInput } from '../io.ts';
import type { PartitionLander } from './partition-lander.ts';

/** How often positions are compared with the broker's, and how long a lag may stand still. */
const WATCH_EVERY_MS = 15_000;
const STALL_AFTER_MS = 60_000;

interface Watched {
  readonly input: ConsumeInput;
  readonly landers: ReadonlyMap<number, PartitionLander>;
  /** When something was last read or committed, in milliseconds since 1970. */
  moved(): number;
}

/**
 * kafkajs may stop fetching without a word: a lag that does not shrink for a minute fails the activity, which starts afresh.
 * @throws SluiceError `ConsumerStalled`, `LogTruncated`, `TopicRecreated`
 */
export async function watchForStalls(
  deps: Pick<StageDeps, 'log'>,
  { input, landers, moved }: Watched,
  signal: AbortSignal,
): Promise<void> {
  const { topic, partitions, shard, shards = 1 } = input;
  while (!signal.aborted) {
    await wait(WATCH_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted || Date.now() - moved() < STALL_AFTER_MS) continue;
    const watermarks = await deps.log.watermarks(topic);
    // Landed while the broker was asked: positions may be beyond its answer.
    if (Date.now() - moved() < STALL_AFTER_MS) continue;
    for (const lander of landers.values()) {
      const { low, high } = watermarks.get(lander.partition) ?? { low: 0n, high: 0n };
      lander.check(low, high);
      if (lander.next >= high) continue;
      throw new SluiceError(
        'ConsumerStalled',
        `Topic ${topic}, partition ${lander.partition}: offset ${lander.next} of ${high} has not moved for ` +
          `${Math.round((Date.now() - moved()) / 1000)} s; the consumer starts afresh.`,
      );
    }
    // More shards than partitions leave some without any.
    if (landers.size === 0 && shard < Math.max(partitions, watermarks.size) && shard < shards) {
      throw new SluiceError(
        'ConsumerStalled',
        `The consumer of ${topic} got no partition for a minute; it starts afresh.`,
      );
    }
  }
}
