import { join } from 'node:path';
import { KafkaConnector } from '../../src/connectors/kafka.ts';
import { LOOPBACK, type Place, type Server } from './server.ts';

const TOPICS_SHOWN = 12;

/** What a broker is asked, and how others find it: the same whatever it keeps its metadata in. */
export const asBroker: Pick<Server, 'answers' | 'environment' | 'details'> = {
  answers: async (place) => {
    await connectorOf(place).admin('the cluster', async (admin) => {
      const { brokers } = await admin.describeCluster();
      if (brokers.length === 0) throw new Error('no broker has registered yet');
    });
  },
  environment: ({ ports }) => ({ SLUICE_KAFKA_BROKERS: `${LOOPBACK}:${ports['kafka']}` }),
  details: async (place) =>
    connectorOf(place).admin('the cluster', async (admin) => {
      const { brokers, controller } = await admin.describeCluster();
      const { topics } = await admin.fetchTopicMetadata();
      const own = topics
        .filter(({ name }) => !name.startsWith('__'))
        .map(({ name, partitions }) => `${name} (${partitions.length})`)
        .toSorted();
      const more = own.length > TOPICS_SHOWN ? ` and ${own.length - TOPICS_SHOWN} more` : '';
      return [
        `broker ${brokers.map(({ nodeId }) => nodeId).join(', ')} registered, controller ${controller ?? 'none'}`,
        `topics (partitions): ${own.length === 0 ? 'none' : own.slice(0, TOPICS_SHOWN).join(', ') + more}`,
      ];
    }),
};

const connectorOf = ({ ports }: Place): KafkaConnector =>
  new KafkaConnector({ brokers: [`${LOOPBACK}:${ports['kafka']}`] });

/** Settings of a broker of one, whatever it keeps its metadata in. */
export const brokerSettings = ({ folder }: Place): Readonly<Record<string, string>> => ({
  'log.dirs': join(folder, 'data'),
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
});

export const java = ({ javaHome }: Place): string => join(javaHome, 'bin', 'java');

/** A Java properties file. */
export const properties = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
