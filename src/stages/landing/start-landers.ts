import type { Log } from '../../connectors/log.ts';
import type { PartitionLander } from './partition-lander.ts';

/** Where a lander begins to read, and the offset that its partition's next record will get. */
export interface Start {
  readonly at: bigint;
  readonly high: bigint;
}

/**
 * Loads landers, and says where each is to be fed from.
 * @throws SluiceError `LogTruncated`, `TopicRecreated` where the log does not fit what has been landed
 */
export async function startLanders(
  log: Pick<Log, 'watermarks'>,
  topic: string,
  landers: readonly PartitionLander[],
): Promise<Map<number, Start>> {
  for (const lander of landers) await lander.load();
  // Not before: where another consumer lands meanwhile, the chain reaches beyond what the log was asked for then.
  const watermarks = await log.watermarks(topic);
  return new Map(
    landers.map((lander) => {
      const { low, high } = watermarks.get(lander.partition) ?? { low: 0n, high: 0n };
      return [lander.partition, { at: lander.startAt(low, high), high }];
    }),
  );
}
