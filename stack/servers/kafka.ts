import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needs } from '../versions.ts';
import { asBroker, brokerSettings, java, properties } from './kafka-common.ts';
import { LOOPBACK, type Place, type Server } from './server.ts';

const run = promisify(execFile);

export const kafka: Server = {
  name: 'kafka',
  title: 'Kafka (KRaft, one node)',
  ports: { kafka: 9092, kafkaController: 9093 },
  needsJava: needs.jdk,
  prepare: async (place) => {
    await mkdir(place.folder, { recursive: true });
    await writeFile(join(place.folder, 'server.properties'), serverProperties(place));
    await writeFile(join(place.folder, 'log4j2.properties'), logToStdout);
    const formatted = join(place.folder, 'formatted');
    if (
      await access(formatted).then(
        () => true,
        () => false,
      )
    )
      return;
    // A formatting that was cut off leaves a folder that no broker starts from.
    await rm(join(place.folder, 'data'), { recursive: true, force: true });
    const id = randomBytes(16).toString('base64url');
    await run(java(place), [
      ...['-cp', join(place.home, 'lib', '*'), 'kafka.tools.StorageTool', 'format'],
      // One argument: an id may begin with a dash.
      ...[`--cluster-id=${id}`, '--config', join(place.folder, 'server.properties')],
    ]);
    await writeFile(formatted, id);
  },
  launch: (place) => ({
    program: java(place),
    args: [
      ...['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError'],
      `-Dlog4j2.configurationFile=${join(place.folder, 'log4j2.properties')}`,
      ...['-cp', join(place.home, 'lib', '*'), 'kafka.Kafka', join(place.folder, 'server.properties')],
    ],
  }),
  ...asBroker,
};

/** As the line of Kafka before it writes, which has another Log4j. */
const logToStdout = properties({
  'rootLogger.level': 'INFO',
  'rootLogger.appenderRef.stdout.ref': 'stdout',
  'appender.stdout.type': 'Console',
  'appender.stdout.name': 'stdout',
  'appender.stdout.layout.type': 'PatternLayout',
  'appender.stdout.layout.pattern': '[%d] %p %m (%c)%n',
});

function serverProperties(place: Place): string {
  const { ports } = place;
  return properties({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${LOOPBACK}:${ports['kafkaController']}`,
    listeners: `PLAINTEXT://${LOOPBACK}:${ports['kafka']},CONTROLLER://${LOOPBACK}:${ports['kafkaController']}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${ports['kafka']}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ...brokerSettings(place),
  });
}
