import { versions, type JdkNeed, type Package, type ServerName } from '../versions.ts';

/** Where a server runs: its folders and ports in one stack. */
export interface Place {
  /** Its files in the cache; not written to. */
  readonly home: string;
  /** Its own folder in the stack's state: data and generated configuration. */
  readonly folder: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Those of the whole stack, for servers that talk to another one. */
  readonly allPorts: Readonly<Record<string, number>>;
  readonly credentials: { readonly user: string; readonly password: string };
  /** A JDK, for those that need one. */
  readonly javaHome: string;
}

/** How a process is started. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Run as this user and group instead of root. */
  readonly unprivileged?: { readonly uid: number; readonly gid: number };
}

/** One server of the stack. */
export interface Server {
  readonly name: ServerName;
  readonly title: string;
  /** Ports by purpose, with the usual numbers. */
  readonly ports: Readonly<Record<string, number>>;
  /** Whose files it runs from, where that is not its own name in the version of that name. */
  readonly runsFrom?: Package;
  /** Which JDKs it runs on, where it needs one. */
  readonly needsJava?: JdkNeed;
  /** It refuses to run as root: then it gets folders that its user can reach. */
  readonly refusesRoot?: boolean;
  /** Writes what it needs into its folder. Idempotent. */
  prepare(place: Place): Promise<void>;
  launch(place: Place): Launch;
  /** Resolves when the server really answers; throws while it does not. */
  answers(place: Place): Promise<void>;
  /** The SLUICE_* (and TEMPORAL_*) variables that lead a worker here. */
  environment(place: Place): Record<string, string>;
  /** Where there is something to look at. */
  link?(place: Place): string;
  /** What else there is to say of one that answers: a line each. */
  details?(place: Place): Promise<string[]>;
}

/** What has to be in the cache for a server. ZooKeeper has its files from the Kafka that brings it. */
export function packageOf({ name, runsFrom }: Server): Package {
  if (runsFrom) return runsFrom;
  if (name === 'zookeeper') throw new RangeError('ZooKeeper is no package of its own');
  return { name, version: versions[name] };
}

export const versionOf = (server: Server): string =>
  server.name === 'zookeeper' ? versions.zookeeper : packageOf(server).version;

/** Everything binds and is asked on loopback. */
export const LOOPBACK = '127.0.0.1';

/** @throws Error while the address does not answer with a 2xx */
export async function expectOk(url: string): Promise<Response> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer;
}
