import { connect } from 'node:net';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

const ANSWER_MS = 5_000;

/** One server of an ensemble, as it speaks of itself. */
export interface ZooKeeperServer {
  /** `host:port` */
  readonly address: string;
  /** It says `imok` and takes requests; one without a quorum says `imok` too. */
  readonly serves: boolean;
  /** `imok, standalone, 3.8.4`; why not, where it does not serve. */
  readonly says: string;
}

/** An ensemble and what Kafka has registered there. */
export interface ZooKeeperState {
  readonly servers: readonly ZooKeeperServer[];
  /** Ids of registered brokers, ascending. */
  readonly brokers: readonly number[];
  /** Whether some broker is the controller. */
  readonly controller: boolean;
}

/**
 * ZooKeeper below a Kafka cluster, asked with its four-letter words over plain TCP: `ruok`, `srvr`, and `dump`, which lists what brokers
 * registered. They need no session, and no client: npm's best kept one is compiled from C on installation.
 */
export class ZooKeeperConnector {
  readonly #settings: NonNullable<Settings['zookeeper']>;

  constructor(settings: NonNullable<Settings['zookeeper']>) {
    this.#settings = settings;
  }

  /** `host:port,host:port` */
  get where(): string {
    return this.#settings.servers.join(',');
  }

  /**
   * How the ensemble is, healthy or not.
   * @throws SluiceError `SettingsInvalid` where a server may not answer these words
   */
  async state(): Promise<ZooKeeperState> {
    const asked = await Promise.all(this.#settings.servers.map((address) => ask(address)));
    const paths = new Set(asked.flatMap(({ ephemeral }) => ephemeral));
    const registered = `${this.#settings.chroot}/brokers/ids/`;
    const brokers = [...paths].filter((path) => path.startsWith(registered));
    return {
      servers: asked.map(({ server }) => server),
      brokers: brokers.map((path) => Number(path.slice(registered.length))).toSorted((a, b) => a - b),
      controller: paths.has(`${this.#settings.chroot}/controller`),
    };
  }

  /**
   * Makes sure that most servers of the ensemble serve, and that the brokers that Kafka names are those registered there.
   * @param brokers ids, as Kafka's metadata has them
   * @throws SluiceError `ZooKeeperUnavailable`, `SettingsInvalid`
   */
  async verify(brokers: readonly number[]): Promise<ZooKeeperState> {
    const state = await this.state();
    const away = state.servers.filter(({ serves }) => !serves);
    if (away.length * 2 >= state.servers.length) {
      const how = away.map(({ address, says }) => `${address}: ${says}`).join('; ');
      const many = state.servers.length > 1 ? ` for ${away.length} of ${state.servers.length} servers` : '';
      throw new SluiceError('ZooKeeperUnavailable', `ZooKeeper does not serve${many} (${how}).`);
    }
    const missing = brokers.filter((id) => !state.brokers.includes(id));
    if (missing.length > 0) {
      throw new SluiceError(
        'ZooKeeperUnavailable',
        `ZooKeeper at ${this.where} has ${listed('broker', state.brokers)} registered${this.#below()}, and Kafka names ` +
          `${listed('broker', brokers)}: wait until Kafka has registered again, or set SLUICE_ZOOKEEPER to the ensemble of this cluster.`,
      );
    }
    if (!state.controller) {
      throw new SluiceError(
        'ZooKeeperUnavailable',
        `No broker is registered as controller in ZooKeeper at ${this.where}${this.#below()}; Kafka elects one when a broker is well.`,
      );
    }
    return state;
  }

  #below(): string {
    return this.#settings.chroot === '' ? '' : ` below ${this.#settings.chroot}`;
  }
}

/** `imok, standalone, 3.8.4; broker 1 registered`, and what does not serve. */
export function zooKeeperSentence({ servers, brokers, controller }: ZooKeeperState): string {
  const each = servers.map(({ address, says }) => (servers.length > 1 ? `${address} ${says}` : says));
  return `${each.join('; ')}; ${listed('broker', brokers)} registered, ${controller ? 'a' : 'no'} controller`;
}

function listed(what: string, ids: readonly number[]): string {
  if (ids.length === 0) return `no ${what}`;
  return `${what}${ids.length > 1 ? 's' : ''} ${ids.join(', ')}`;
}

async function ask(address: string): Promise<{ server: ZooKeeperServer; ephemeral: string[] }> {
  try {
    const ruok = await word(address, 'ruok');
    const srvr = await word(address, 'srvr');
    const [, mode] = /^Mode: (\w+)/m.exec(srvr) ?? [];
    if (ruok !== 'imok' || mode === undefined) {
      const says = (ruok === 'imok' ? srvr : ruok).split('\n')[0] ?? '';
      return { server: { address, serves: false, says: says === '' ? 'no answer' : says }, ephemeral: [] };
    }
    const [, version = ''] = /version: ([\d.]+)/.exec(srvr) ?? [];
    const dump = await word(address, 'dump');
    const says = ['imok', mode, version].filter((part) => part !== '').join(', ');
    return {
      server: { address, serves: true, says },
      ephemeral: [...dump.matchAll(/^\t(\/\S+)$/gm)].map(([, path = '']) => path),
    };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    return { server: { address, serves: false, says: sentenceOf(error) }, ephemeral: [] };
  }
}

/** What a server answers to a four-letter word; it closes the connection after that. */
async function word(address: string, text: string): Promise<string> {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) });
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer to ${text} within ${ANSWER_MS / 1000} s`)));
  socket.end(text);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  const answer = Buffer.concat(parts).toString().trim();
  if (!answer.includes('not in the whitelist')) return answer;
  throw new SluiceError(
    'SettingsInvalid',
    `ZooKeeper at ${address} may not answer "${text}": put ruok, srvr and dump into its 4lw.commands.whitelist, or leave SLUICE_ZOOKEEPER out.`,
  );
}
