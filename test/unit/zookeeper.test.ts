import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/connectors/settings.ts';
import { ZooKeeperConnector, zooKeeperSentence } from '../../src/connectors/zookeeper.ts';

// States that one healthy server does not get into: an ensemble with members away, without a quorum, or closed to these words.

const opened: Server[] = [];

/** Answers four-letter words as told, and closes, as ZooKeeper does. */
async function server(words: Readonly<Record<string, string>>): Promise<string> {
  const listening = createServer((socket) => {
    socket.once('data', (word) => socket.end(words[word.toString()] ?? ''));
    socket.on('error', () => {});
  });
  opened.push(listening);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => new Promise((resolve) => one.close(resolve))));
});

const srvr = (mode: string): string =>
  `Zookeeper version: 3.8.4-9316c2a, built on 2024-02-12\nMode: ${mode}\nNode count: 28\n`;
const dump = (...paths: string[]): string =>
  `SessionTracker dump:\nephemeral nodes dump:\nSessions with Ephemerals (1):\n0x1:\n${paths.map((path) => `\t${path}\n`).join('')}Connections dump:\n`;
const well = (mode: string, ...paths: string[]) => ({ ruok: 'imok', srvr: srvr(mode), dump: dump(...paths) });
const noQuorum = { ruok: 'imok', srvr: 'This ZooKeeper instance is not currently serving requests\n' };

async function connector(
  servers: readonly Readonly<Record<string, string>>[],
  chroot = '',
): Promise<ZooKeeperConnector> {
  return new ZooKeeperConnector({ servers: await Promise.all(servers.map(server)), chroot });
}

describe('ZooKeeper', () => {
  const registered = ['/controller', '/brokers/ids/2', '/brokers/ids/10', '/brokers/ids/1'];

  it('is well where most of an ensemble serves and every broker has registered, and one that is away is named', async () => {
    const ensemble = await connector([well('leader', ...registered), well('follower', ...registered), noQuorum]);
    const state = await ensemble.verify([1, 2, 10]);
    expect(state).toMatchObject({ brokers: [1, 2, 10], controller: true });
    expect(zooKeeperSentence(state)).toMatch(
      /^\S+ imok, leader, 3\.8\.4; \S+ imok, follower, 3\.8\.4; \S+ This ZooKeeper instance is not .*; brokers 1, 2, 10 registered, a controller$/,
    );
  });

  it('does not serve where half of an ensemble does not, whatever those say of their health', async () => {
    const ensemble = await connector([well('leader', ...registered), noQuorum]);
    await expect(ensemble.verify([1])).rejects.toMatchObject({
      code: 'ZooKeeperUnavailable',
      message: expect.stringMatching(
        /for 1 of 2 servers \(\S+: This ZooKeeper instance is not currently serving/,
      ) as string,
    });
    const gone = new ZooKeeperConnector({ servers: ['127.0.0.1:1'], chroot: '' });
    await expect(gone.verify([])).rejects.toMatchObject({
      code: 'ZooKeeperUnavailable',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('says which brokers have not registered, and that there is no controller', async () => {
    const one = await connector([well('standalone', '/controller', '/brokers/ids/1')]);
    await expect(one.verify([1, 2])).rejects.toThrow(/has broker 1 registered, and Kafka names brokers 1, 2/);
    const none = await connector([well('standalone', '/brokers/ids/1')]);
    await expect(none.verify([1])).rejects.toThrow(/No broker is registered as controller/);
  });

  it('looks below the chroot of the cluster, and nowhere else', async () => {
    const paths = ['/other/controller', '/other/brokers/ids/7', '/mine/controller', '/mine/brokers/ids/3'];
    const mine = await connector([well('standalone', ...paths)], '/mine');
    expect(await mine.verify([3])).toMatchObject({ brokers: [3], controller: true });
    await expect(mine.verify([7])).rejects.toThrow(/broker 3 registered below \/mine, and Kafka names broker 7/);
  });

  it('says which words it must be allowed to answer', async () => {
    const closed = await connector([
      { ...well('standalone'), dump: 'dump is not executed because it is not in the whitelist.\n' },
    ]);
    await expect(closed.state()).rejects.toMatchObject({
      code: 'SettingsInvalid',
      message: expect.stringMatching(
        /may not answer "dump": put ruok, srvr and dump into its 4lw\.commands\.whitelist/,
      ) as string,
    });
  });
});

describe('SLUICE_ZOOKEEPER', () => {
  const read = (text: string) => readSettings({ SLUICE_ZOOKEEPER: text }).zookeeper;

  it('is written as for Kafka, and absent on KRaft', () => {
    expect(read('')).toBeUndefined();
    expect(read('zk1:2181')).toEqual({ servers: ['zk1:2181'], chroot: '' });
    expect(read('zk1:2181,[::1]:2182/kafka/eu/')).toEqual({ servers: ['zk1:2181', '[::1]:2182'], chroot: '/kafka/eu' });
    for (const wrong of ['zk1', 'zk1:2181/a,zk2:2181', 'zk1:2181,', 'zk1:port'])
      expect(() => read(wrong)).toThrow(/SLUICE_ZOOKEEPER: needs host:port,host:port/);
  });
});
