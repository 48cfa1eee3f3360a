import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ZooKeeperConnector, zooKeeperSentence } from '../../src/connectors/zookeeper.ts';
import { needs, zooKeeperKafka } from '../versions.ts';
import { java, properties } from './kafka-common.ts';
import { logToStdout } from './kafka-with-zookeeper.ts';
import { LOOPBACK, type Place, type Server } from './server.ts';

/** The four-letter words that it answers: what Sluice asks, and figures for people. */
export const answeredWords = 'ruok,srvr,dump,mntr';

export const zookeeper: Server = {
  name: 'zookeeper',
  title: 'ZooKeeper (one node)',
  ports: { zookeeper: 2181 },
  runsFrom: { name: 'kafka', version: zooKeeperKafka },
  needsJava: needs.zooKeeperJdk,
  prepare: async (place) => {
    await mkdir(place.folder, { recursive: true });
    await writeFile(join(place.folder, 'log4j.properties'), logToStdout);
    const settings = {
      tickTime: '2000',
      dataDir: join(place.folder, 'data'),
      clientPort: String(place.ports['zookeeper']),
      clientPortAddress: LOOPBACK,
      '4lw.commands.whitelist': answeredWords,
      'admin.enableServer': 'false',
      'autopurge.purgeInterval': '24',
    };
    await writeFile(join(place.folder, 'zookeeper.properties'), properties(settings));
  },
  launch: (place) => ({
    program: java(place),
    args: [
      ...['-Xms64m', '-Xmx128m', '-XX:+ExitOnOutOfMemoryError'],
      `-Dlog4j.configuration=file:${join(place.folder, 'log4j.properties')}`,
      ...['-cp', join(place.home, 'lib', '*'), 'org.apache.zookeeper.server.quorum.QuorumPeerMain'],
      join(place.folder, 'zookeeper.properties'),
    ],
  }),
  answers: async (place) => {
    for (const { serves, says } of (await connectorOf(place).state()).servers) if (!serves) throw new Error(says);
  },
  environment: (place) => ({ SLUICE_ZOOKEEPER: addressOf(place) }),
  details: async (place) => [zooKeeperSentence(await connectorOf(place).state())],
};

const addressOf = ({ ports }: Place): string => `${LOOPBACK}:${ports['zookeeper']}`;
const connectorOf = (place: Place): ZooKeeperConnector =>
  new ZooKeeperConnector({ servers: [addressOf(place)], chroot: '' });
