import { randomBytes } from 'node:crypto';
import { failPoint } from '../../connectors/fail-point.ts';
import { describeTopic, type StandingTopic } from '../../connectors/kafka-topic.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';
import type { StageDeps } from '../deps.ts';
import { ManifestChain } from '../landing/chain.ts';
import { requireBrokers, requirePartitions } from './cluster-health.ts';
import { settleTopic } from './settle-topic.ts';
import { wantedSettings } from './topic-settings.ts';

/** One life of a topic, as it is kept create-once: Kafka's own topic id never reaches kafkajs. */
export interface TopicLife {
  readonly n: number;
  /** Eight hex digits, a header on every record. */
  readonly epoch: string;
  readonly topic: string;
  /** As it was made; it may have grown since. */
  readonly partitions: number;
  readonly createdAt: string;
}

/** A topic that rows may be sent to. */
export interface PreparedTopic {
  readonly life: TopicLife;
  /** So many partitions the next batches are spread over. */
  readonly partitions: number;
  readonly changes: string[];
  readonly warnings: string[];
}

/**
 * Finds the topic of a stream, or makes it and mints its epoch; has its settings as the definition wants them, and its partitions ready to
 * take rows. Two at once end up with the same epoch.
 * @param brokers those that are up
 * @throws SluiceError `TopicNotOurs` where another pipeline owns it or nobody of ours made it, `TopicMismatch` where it is otherwise than the
 * definition says and that is refused, `KafkaUnavailable` where it takes no rows now
 */
export async function prepareTopic(
  deps: Pick<StageDeps, 'kafka' | 'store'>,
  stream: Stream,
  publish: Pipeline['publish'],
  brokers: readonly number[],
): Promise<PreparedTopic> {
  await claim(deps, stream);
  const { topic } = stream;
  const newest = await newestLife(deps, stream);
  let standing = await describeTopic(deps.kafka, topic);
  let life = newest;
  const changes: string[] = [];
  if (!standing) {
    requireBrokers(deps, brokers, publish);
    life = await nextLife(deps, stream, newest, publish.partitions);
    standing = await makeTopic(deps, life, publish);
    changes.push(`created topic ${topic} (${life.partitions} partitions, epoch ${life.epoch})`);
  }
  if (!life) {
    throw new SluiceError(
      'TopicNotOurs',
      `Topic ${topic} exists, but pipeline ${stream.pipeline} has no record of having made it. ` +
        'Delete the topic, or give publish.topic another name.',
    );
  }
  if (standing.partitions.length < life.partitions) {
    throw new SluiceError(
      'TopicMismatch',
      `Topic ${topic} has ${standing.partitions.length} partitions, and ${stream.pipeline} made it with ${life.partitions}: somebody made it anew. ` +
        'Delete it, and the next run makes it with an epoch of its own.',
    );
  }
  await markMade(deps, stream, life);
  const { epoch } = life;
  const settled = await settleTopic(deps, topic, publish, standing, (ms) => landedBefore(deps, stream, epoch, ms));
  return {
    life,
    partitions: Math.min(settled.topic.partitions.length, Math.max(life.partitions, publish.partitions)),
    changes: [...changes, ...settled.changes],
    warnings: [...settled.warnings, ...requirePartitions(topic, settled.topic)],
  };
}

async function makeTopic(
  { kafka }: Pick<StageDeps, 'kafka'>,
  { topic, partitions }: TopicLife,
  publish: Pipeline['publish'],
): Promise<StandingTopic> {
  await failPoint('prepare:before-topic');
  await kafka.createTopic(topic, { partitions, replication: publish.replication, config: wantedSettings(publish) });
  const made = await describeTopic(kafka, topic);
  if (made) return made;
  throw new SluiceError('KafkaUnavailable', `Topic ${topic} was made, and Kafka does not name it yet.`);
}

/** Whether all rows of a topic that are older than so many milliseconds have landed. */
async function landedBefore(
  { kafka, store }: Pick<StageDeps, 'kafka' | 'store'>,
  { topic, name }: Stream,
  epoch: string,
  ms: number,
): Promise<boolean> {
  for (const [partition, offset] of await kafka.offsetsAt(topic, Date.now() - ms)) {
    const chain = new ManifestChain(store, name, epoch, partition);
    await chain.load();
    if (chain.position < offset) return false;
  }
  return true;
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
