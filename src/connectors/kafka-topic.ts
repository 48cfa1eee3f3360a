import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { SluiceError } from '../definition/errors.ts';
import type { KafkaConnector } from './kafka.ts';

const { ConfigResourceTypes, ConfigSource } = kafkajs;

const SETTLE_TRIES = 50;
const SETTLE_MS = 200;

/** One partition as the cluster's metadata has it. */
export interface TopicPartition {
  readonly id: number;
  /** Id of the broker that leads it; absent where none does. */
  readonly leader?: number;
  /** Brokers that hold it. */
  readonly replicas: readonly number[];
  /** Those of them that have all of it. */
  readonly inSync: readonly number[];
}

/** A topic as it stands. */
export interface StandingTopic {
  /** By number. */
  readonly partitions: readonly TopicPartition[];
  /** Every setting in force, defaults of the broker included. */
  readonly settings: Readonly<Record<string, string>>;
  /** Those set for this topic alone. */
  readonly overrides: Readonly<Record<string, string>>;
}

/**
 * Reads a topic; undefined where there is none.
 * @throws SluiceError `KafkaUnavailable`, also where a partition of this or any other topic has no leader: kafkajs tells nothing then
 */
export async function describeTopic(kafka: KafkaConnector, topic: string): Promise<StandingTopic | undefined> {
  return kafka.admin(`topic ${topic}`, (admin) => describe(admin, topic));
}

/**
 * Sets some settings of a topic and waits until they are in force. Kafka's request replaces all that is set for a topic, so what stands is read
 * first and written back with it: somebody else's change of the same moment could be undone.
 * @throws SluiceError `KafkaUnavailable`
 */
export async function alterTopic(
  kafka: KafkaConnector,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<StandingTopic> {
  return kafka.admin(`settings of topic ${topic}`, async (admin) => {
    const { overrides } = await found(admin, kafka, topic);
    const entries = Object.entries({ ...overrides, ...settings });
    const configEntries = entries.map(([name, value]) => ({ name, value }));
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
    return settled(
      () => found(admin, kafka, topic),
      (now) => Object.entries(settings).every(([name, value]) => now.settings[name] === value),
    );
  });
}

/**
 * Adds partitions up to a number and waits until each has a leader. Partitions cannot be taken away again.
 * @throws SluiceError `KafkaUnavailable`
 */
export async function growTopic(kafka: KafkaConnector, topic: string, partitions: number): Promise<StandingTopic> {
  return kafka.admin(`partitions of topic ${topic}`, async (admin) => {
    const enough = (now: StandingTopic): boolean =>
      now.partitions.length >= partitions && now.partitions.every(({ leader }) => leader !== undefined);
    try {
      await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
    } catch (error) {
      // Two runs at once: the other one was first.
      const now = await found(admin, kafka, topic);
      if (now.partitions.length < partitions) throw error;
    }
    return settled(() => found(admin, kafka, topic), enough);
  });
}

async function found(admin: Admin, kafka: KafkaConnector, topic: string): Promise<StandingTopic> {
  const standing = await describe(admin, topic);
  if (standing) return standing;
  throw new SluiceError(
    'KafkaUnavailable',
    `Topic ${topic} is gone from Kafka at ${kafka.brokers.join(', ')} while it was prepared.`,
  );
}

async function describe(admin: Admin, topic: string): Promise<StandingTopic | undefined> {
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] }).catch((error: unknown) => {
    if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  });
  const partitions = metadata?.topics[0]?.partitions;
  if (!partitions) return undefined;
  const answer = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = answer.resources[0]?.configEntries ?? [];
  const pairs = (of: typeof entries) => Object.fromEntries(of.map((entry) => [entry.configName, entry.configValue]));
  return {
    partitions: partitions
      .map(({ partitionId, leader, replicas, isr }) => ({
        id: partitionId,
        ...(leader < 0 ? {} : { leader }),
        replicas,
        inSync: isr,
      }))
      .toSorted((a, b) => a.id - b.id),
    settings: pairs(entries),
    overrides: pairs(entries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)),
  };
}

/** Reads until it is as wanted, as brokers learn of a change a moment later; the last reading, where it never is. */
async function settled<T>(read: () => Promise<T>, done: (now: T) => boolean): Promise<T> {
  for (let left = SETTLE_TRIES; ; left -= 1) {
    const now = await read();
    if (left === 0 || done(now)) return now;
    await wait(SETTLE_MS);
  }
}

/** The cluster's own name of an error. */
const typeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : '';
