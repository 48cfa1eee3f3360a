import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needs, zooKeeperKafka } from '../versions.ts';
import { asBroker, brokerSettings, java, properties } from './kafka-common.ts';
import { LOOPBACK, type Server } from './server.ts';

/** Kafka as it was before KRaft: it registers with the stack's ZooKeeper. */
export const kafkaWithZooKeeper: Server = {
  name: 'kafka',
  title: 'Kafka (with ZooKeeper, one node)',
  ports: { kafka: 9092 },
  runsFrom: { name: 'kafka', version: zooKeeperKafka },
  needsJava: needs.zooKeeperJdk,
  prepare: async (place) => {
    await mkdir(place.folder, { recursive: true });
    await writeFile(join(place.folder, 'log4j.properties'), logToStdout);
    const listener = `PLAINTEXT://${LOOPBACK}:${place.ports['kafka']}`;
    const settings = {
      'broker.id': '1',
      'zookeeper.connect': `${LOOPBACK}:${place.allPorts['zookeeper']}`,
      // The two are started at once, and a machine may be slow.
      'zookeeper.connection.timeout.ms': '60000',
      listeners: listener,
      'advertised.listeners': listener,
      ...brokerSettings(place),
    };
    await writeFile(join(place.folder, 'server.properties'), properties(settings));
  },
  launch: (place) => ({
    program: java(place),
    args: [
      ...['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError'],
      `-Dlog4j.configuration=file:${join(place.folder, 'log4j.properties')}`,
      ...['-cp', join(place.home, 'lib', '*'), 'kafka.Kafka', join(place.folder, 'server.properties')],
    ],
  }),
  ...asBroker,
};

/** This line of Kafka says nothing at all without one. */
export const logToStdout = properties({
  'log4j.rootLogger': 'INFO, stdout',
  'log4j.appender.stdout': 'org.apache.log4j.ConsoleAppender',
  'log4j.appender.stdout.layout': 'org.apache.log4j.PatternLayout',
  'log4j.appender.stdout.layout.ConversionPattern': '[%d] %p %m (%c)%n',
});
