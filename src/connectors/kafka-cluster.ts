import { SluiceError } from '../definition/errors.ts';
import type { KafkaConnector } from './kafka.ts';

/** A cluster as its metadata has it. */
export interface KafkaCluster {
  /** Ids of the brokers that are up, ascending. */
  readonly brokers: readonly number[];
  /** Id of the broker that takes what a controller does. */
  readonly controller: number;
}

/**
 * Asks a cluster for its brokers and its controller.
 * @throws SluiceError `KafkaUnavailable`, also where there is no controller
 */
export async function describeCluster(kafka: KafkaConnector): Promise<KafkaCluster> {
  const { brokers, controller } = await kafka.admin('the cluster', (admin) => admin.describeCluster());
  if (controller === null) {
    throw new SluiceError(
      'KafkaUnavailable',
      `Kafka at ${kafka.brokers.join(', ')} has no controller, so it makes no topic and elects no leader.`,
    );
  }
  return { brokers: brokers.map(({ nodeId }) => nodeId).toSorted((a, b) => a - b), controller };
}
