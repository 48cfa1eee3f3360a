import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../connectors/log.ts';
import type { Store } from '../../connectors/object-store.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { streamsOf } from '../../definition/streams.ts';
import { ManifestChain } from './chain.ts';
import type { TopicLife } from '../preparing/topic.ts';

const PATIENCE_MS = 5_000;

/** How far one partition has landed. Offsets as text. */
export interface PartitionLag {
  readonly partition: number;
  /** The offset after everything landed: the end of the manifest chain. */
  readonly position: string;
  /** What the log holds. */
  readonly low: string;
  readonly high: string;
  readonly lag: number;
  /** The newest range that was given up, while it still matters. */
  readonly loss?: { readonly first: string; readonly last: string; readonly reason: string };
}

/**
 * How far a stream has landed, from the object store and the broker themselves: it needs no consumer that answers. Empty where no topic was
 * ever made.
 */
export async function consumerLag(
  deps: { store: Store; log: Log },
  stream: string,
  topic: string,
): Promise<PartitionLag[]> {
  const newest = await deps.store.lastKey(keys.topics(stream));
  const life = newest === undefined ? undefined : await deps.store.findJson<TopicLife>(newest);
  if (!life) return [];
  const watermarks = await deps.log.watermarks(topic);
  return Promise.all(
    [...watermarks]
      .toSorted(([a], [b]) => a - b)
      .map(async ([partition, { low, high }]) => {
        const chain = new ManifestChain(deps.store, stream, life.epoch, partition);
        await chain.load();
        const { position, head } = chain;
        return {
          partition,
          ...{ position: String(position), low: String(low), high: String(high) },
          lag: Number(high - position),
          ...(head?.loss ? { loss: head.loss } : {}),
        };
      }),
  );
}

/** Records behind what has landed, of each stream of a pipeline; undefined where nobody says so within five seconds. */
export async function lagByStream(
  deps: { store: Store; log: Log },
  definition: Pipeline,
): Promise<Readonly<Record<string, number>> | undefined> {
  const over = new AbortController();
  try {
    const found = await Promise.race([
      Promise.all(
        streamsOf(definition).map(async ({ name, topic }) => {
          const partitions = await consumerLag(deps, name, topic);
          return [name, partitions.reduce((sum, { lag }) => sum + lag, 0)] as const;
        }),
      ),
      wait(PATIENCE_MS, undefined, { signal: over.signal }),
    ]);
    return found && Object.fromEntries(found);
  } finally {
    over.abort();
  }
}
