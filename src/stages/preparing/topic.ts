import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';
import type { StageDeps } from '../deps.ts';

/** One life of a topic, as it is kept create-once: Kafka's own topic id never reaches kafkajs. */
export interface TopicLife {
  readonly n: number;
  /** Eight hex digits, a header on every record. */
  readonly epoch: string;
  readonly topic: string;
  readonly partitions: number;
  readonly createdAt: string;
}

const THIRTY_DAYS_MS = 30 * 86_400_000;

/** What a topic must be like for nothing to be lost in it. */
function topicConfig(replication: number): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(THIRTY_DAYS_MS),
    'min.insync.replicas': String(Math.min(2, replication)),
    'unclean.leader.election.enable': 'false',
    'message.timestamp.type': 'CreateTime',
    'compression.type': 'producer',
  };
}

/**
 * Finds the topic of a stream, or makes it and mints its epoch. Two at once end up with the same epoch.
 * @throws SluiceError `TopicNotOurs` where another pipeline owns it or nobody of ours made it,
 * `TopicMismatch` where it has fewer partitions than the definition says
 */
export async function prepareTopic(
  deps: Pick<StageDeps, 'kafka' | 'store'>,
  stream: Stream,
  publish: Pipeline['publish'],
): Promise<{ life: TopicLife; changes: string[] }> {
  await claim(deps, stream);
  const { topic } = stream;
  const standing = await deps.kafka.partitionsOf(topic);
  const newest = await newestLife(deps, stream);
  if (standing !== undefined) {
    if (!newest) {
      throw new SluiceError(
        'TopicNotOurs',
        `Topic ${topic} exists, but pipeline ${stream.pipeline} has no record of having made it. ` +
          'Delete the topic, or give publish.topic another name.',
      );
    }
    if (standing < publish.partitions) {
      throw new SluiceError(
        'TopicMismatch',
        `Topic ${topic} has ${standing} partitions and publish.partitions says ${publish.partitions}. ` +
          'Partitions of a topic in use are not added, as keys would move: set publish.partitions back, or name a new topic.',
      );
    }
    await markMade(deps, stream, newest);
    return { life: newest, changes: [] };
  }
  const life = await nextLife(deps, stream, newest, publish.partitions);
  await deps.kafka.createTopic(topic, {
    partitions: life.partitions,
    replication: publish.replication,
    config: topicConfig(publish.replication),
  });
  await markMade(deps, stream, life);
  return { life, changes: [`created topic ${topic} (${life.partitions} partitions, epoch ${life.epoch})`] };
}

/** A topic belongs to one stream: the first to name it. */
async function claim({ store }: Pick<StageDeps, 'store'>, stream: Stream): Promise<void> {
  const { value } = await store.createJson(keys.topicOwner(stream.topic), { stream: stream.name });
  if (value.stream === stream.name) return;
  throw new SluiceError(
    'TopicNotOurs',
    `Topic ${stream.topic} belongs to ${value.stream}; give publish.topic of ${stream.pipeline} another name.`,
  );
}

async function newestLife({ store }: Pick<StageDeps, 'store'>, stream: Stream): Promise<TopicLife | undefined> {
  const key = await store.lastKey(keys.topics(stream.name));
  return key === undefined ? undefined : store.findJson<TopicLife>(key);
}

/**
 * The life of a topic that is about to be made. Its record comes before the topic, so that no topic of ours is ever without one.
 * One whose topic was never made is taken up again, by everybody alike; nothing was published in it, as that takes a finished prepare.
 */
async function nextLife(
  { store }: Pick<StageDeps, 'store'>,
  stream: Stream,
  newest: TopicLife | undefined,
  partitions: number,
): Promise<TopicLife> {
  if (newest && !(await store.exists(keys.topicMade(stream.name, newest.n)))) return newest;
  const n = (newest?.n ?? 0) + 1;
  const wanted: TopicLife = {
    n,
    epoch: randomBytes(4).toString('hex'),
    topic: stream.topic,
    partitions,
    createdAt: new Date().toISOString(),
  };
  return (await store.createJson(keys.topic(stream.name, n), wanted)).value;
}

async function markMade({ store }: Pick<StageDeps, 'store'>, stream: Stream, { n, epoch }: TopicLife): Promise<void> {
  await store.createJson(keys.topicMade(stream.name, n), { n, epoch });
}
