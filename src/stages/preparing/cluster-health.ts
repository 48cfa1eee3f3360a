import type { StandingTopic } from '../../connectors/kafka-topic.ts';
import { describeCluster } from '../../connectors/kafka-cluster.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';

/**
 * Makes sure that a cluster answers and has a controller, and where it has ZooKeeper that this serves and knows the same brokers.
 * @returns the brokers that are up, and what is not as it should be and yet no reason to stop
 * @throws SluiceError `KafkaUnavailable`, `ZooKeeperUnavailable`
 */
export async function requireCluster({
  kafka,
  zookeeper,
}: Pick<StageDeps, 'kafka' | 'zookeeper'>): Promise<{ brokers: readonly number[]; warnings: string[] }> {
  const { brokers } = await describeCluster(kafka);
  const state = await zookeeper?.verify(brokers);
  const away = (state?.servers ?? []).filter(({ serves }) => !serves);
  return {
    brokers,
    warnings: away.map(({ address, says }) => `ZooKeeper at ${address} does not serve (${says}); the others do`),
  };
}

/**
 * Makes sure of brokers enough for a new topic. One that stands needs fewer: as many as an acknowledged row must be on.
 * @throws SluiceError `KafkaUnavailable`
 */
export function requireBrokers(
  { kafka }: Pick<StageDeps, 'kafka'>,
  brokers: readonly number[],
  { replication }: Pipeline['publish'],
): void {
  if (brokers.length >= replication) return;
  throw new SluiceError(
    'KafkaUnavailable',
    `Kafka at ${kafka.brokers.join(', ')} has ${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'} up, and publish.replication ` +
      `says ${replication}: start the others, or lower publish.replication.`,
  );
}

/**
 * Makes sure that every partition of a topic takes rows: it has a leader, and as many replicas in sync as an acknowledged row needs.
 * @returns a sentence where replicas are behind, though enough are not
 * @throws SluiceError `KafkaUnavailable`
 */
export function requirePartitions(name: string, { partitions, settings }: StandingTopic): string[] {
  const least = Number(settings['min.insync.replicas'] ?? 1);
  for (const { id, leader, replicas, inSync } of partitions) {
    if (leader !== undefined && inSync.length >= least) continue;
    const found =
      leader === undefined
        ? 'has no leader'
        : `has ${inSync.length} of ${replicas.length} replicas in sync and min.insync.replicas says ${least}`;
    throw new SluiceError(
      'KafkaUnavailable',
      `Topic ${name}, partition ${id} ${found}, so it takes no rows: see to brokers ${replicas.join(', ')}, or to that setting.`,
    );
  }
  const behind = partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length);
  if (behind.length === 0) return [];
  return [`topic ${name}: ${behind.length} of ${partitions.length} partitions have replicas that are not in sync`];
}
