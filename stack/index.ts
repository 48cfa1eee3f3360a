import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, sentenceOf } from '../src/definition/errors.ts';
import { withLock } from './lock.ts';
import { defaultStateFolder, isRoot, openStateFolder } from './paths.ts';
import { chosenPort, freePorts, requireFree } from './ports.ts';
import { isAlive } from './process-identity.ts';
import { StackProgress } from './progress.ts';
import { packageFolder, provision } from './provision.ts';
import { end, kill, start, untilAnswering } from './server-process.ts';
import { serversOf } from './servers/index.ts';
import { packageOf, versionOf, type Place, type Server } from './servers/server.ts';
import { emptyState, readState, recordProcess, writeState, type StackState } from './state.ts';
import { findJdk } from './tools.ts';
import { kafkaOf, settleKafka, withZooKeeper } from './kafka-kind.ts';
import { serverNames, usualServers, type KafkaKind, type ServerName } from './versions.ts';

const PORTS_GRACE_MS = 60_000;

export interface StackOptions {
  /** The stack's folder; the default one outlives the checkout. */
  readonly state?: string;
  readonly only?: readonly ServerName[];
  /** Servers beside the usual ones. */
  readonly with?: readonly ServerName[];
  /** Which Kafka; the one that the stack has, or KRaft where it has none yet. */
  readonly kafka?: KafkaKind;
  /** Any ports that are free, instead of the usual ones: for tests beside a running stack. */
  readonly freePorts?: boolean;
  readonly progress?: StackProgress;
}

export interface RunningStack {
  readonly state: string;
  /** SLUICE_* and TEMPORAL_* variables that lead a worker or a client here. Holds credentials: for processes, not for logs. */
  readonly environment: Record<string, string>;
  readonly links: Readonly<Partial<Record<ServerName, string>>>;
}

export interface ServerStatus {
  readonly name: ServerName;
  readonly title: string;
  readonly state: 'running' | 'not answering' | 'stopped';
  readonly version: string;
  readonly ports: readonly number[];
  readonly pid?: number;
  readonly link?: string;
  /** What else there is to say of one that answers, a line each: brokers, topics. */
  readonly details?: readonly string[];
}

/**
 * Brings the servers up and waits until each answers: what runs is kept, what died is started again, what is missing is provisioned.
 * Safe to call twice, at once, and after any kill.
 * @throws SluiceError `StackUnavailable`
 */
export async function up(options: StackOptions = {}): Promise<RunningStack> {
  const state = options.state ?? defaultStateFolder();
  const progress = options.progress ?? new StackProgress();
  const asked = options.only ?? [...usualServers, ...(options.with ?? [])];
  const kind = settleKafka(await readState(state), options.kafka, asked);
  const names = withZooKeeper(kind, asked);
  const servers = serversOf(kind);
  const javaHomes = new Map<ServerName, string>();
  for (const name of names) {
    const { needsJava } = servers[name];
    if (needsJava) javaHomes.set(name, (await findJdk(needsJava)).home);
  }
  // One after the other: two Go builds at once take the memory of both and no less time.
  for (const name of names) await provision(packageOf(servers[name]), progress);
  const waiting = (holder: number): void =>
    progress.say('stack', `waiting for process ${holder}, which starts or stops it`);
  return withLock(join(state, 'lock'), waiting, async () => {
    await settle(state, kind, names, options.freePorts ?? false);
    const outcomes = await Promise.allSettled(
      names.map(async (name) => startServer(state, servers[name], javaHomes.get(name) ?? '', progress)),
    );
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length > 0) {
      throw new SluiceError('StackUnavailable', failures.map(({ reason }) => sentenceOf(reason)).join(' '));
    }
    return running(state, await requireState(state));
  });
}

async function startServer(state: string, server: Server, javaHome: string, progress: StackProgress): Promise<void> {
  const now = await requireState(state);
  const place = { ...placeOf(state, now, server), javaHome };
  const log = logFile(state, server.name);
  const standing = now.processes[server.name];
  if (standing && isAlive(standing)) {
    await untilAnswering(server.title, standing, () => server.answers(place), log);
    progress.say(server.name, `runs already (pid ${standing.pid})`);
    return;
  }
  // A large process that was killed a moment ago still holds its ports while its memory is taken down.
  const graceMs = standing ? PORTS_GRACE_MS : 0;
  for (const [name, port] of Object.entries(place.ports)) await requireFree(server.title, name, port, graceMs);
  await mkdir(place.folder, { recursive: true });
  await server.prepare(place);
  const identity = start(server.launch(place), log);
  recordProcess(state, server.name, identity);
  progress.say(server.name, `started (pid ${identity.pid}), waiting until it answers`);
  await untilAnswering(server.title, identity, () => server.answers(place), log);
  progress.say(server.name, `answers on ${Object.values(place.ports).join(', ')}`);
}

/** Stops what this stack started, by pid; with `remove`, its data too. */
export async function down(options: StackOptions & { readonly remove?: boolean } = {}): Promise<void> {
  const state = options.state ?? defaultStateFolder();
  const progress = options.progress ?? new StackProgress();
  const now = await readState(state);
  if (now) {
    const waiting = (holder: number): void =>
      progress.say('stack', `waiting for process ${holder}, which starts or stops it`);
    await withLock(join(state, 'lock'), waiting, async () => {
      const names = options.only ?? serverNames;
      const stop = async (name: ServerName): Promise<void> => {
        const identity = now.processes[name];
        if (!identity || !isAlive(identity)) return;
        await end(identity);
        progress.say(name, 'stopped');
      };
      await Promise.all(names.filter((name) => name !== 'zookeeper').map(stop));
      // Kafka takes leave of it.
      if (names.includes('zookeeper')) await stop('zookeeper');
    });
  }
  if (!options.remove) return;
  await rm(state, { recursive: true, force: true });
  if (isRoot()) await rm(openStateFolder(state), { recursive: true, force: true });
}

/** How each server is: asked, not remembered. */
export async function status(options: StackOptions = {}): Promise<ServerStatus[]> {
  const state = options.state ?? defaultStateFolder();
  const now = await readState(state);
  const kind = kafkaOf(now);
  const servers = serversOf(kind);
  const usual = withZooKeeper(kind, usualServers);
  const known = serverNames.filter((name) => usual.includes(name) || now?.processes[name]);
  return Promise.all(
    withZooKeeper(kind, options.only ?? known).map(async (name): Promise<ServerStatus> => {
      const server = servers[name];
      const place = placeOf(state, now ?? { ...emptyState(), ports: server.ports }, server);
      const base = { name, title: server.title, version: versionOf(server), ports: Object.values(place.ports) };
      const identity = now?.processes[name];
      if (!identity || !isAlive(identity)) return { ...base, state: 'stopped' };
      const answers = await server.answers(place).then(
        () => true,
        () => false,
      );
      const link = server.link?.(place);
      const details = answers
        ? await server.details?.(place).catch((error: unknown) => [sentenceOf(error)])
        : undefined;
      return {
        ...base,
        state: answers ? 'running' : 'not answering',
        pid: identity.pid,
        ...(link === undefined ? {} : { link }),
        ...(details === undefined ? {} : { details }),
      };
    }),
  );
}

/** A stack that runs already; undefined where none of its servers does. */
export async function runningStack(options: StackOptions = {}): Promise<RunningStack | undefined> {
  const state = options.state ?? defaultStateFolder();
  const now = await readState(state);
  const alive = Object.values(now?.processes ?? {}).some((identity) => identity && isAlive(identity));
  return now && alive ? running(state, now) : undefined;
}

/** Sends a signal to one server, for tests of what happens then. */
export async function signalServer(state: string, name: ServerName, signal: NodeJS.Signals): Promise<void> {
  const identity = (await requireState(state)).processes[name];
  if (identity) kill(identity, signal);
}

export const logFile = (state: string, name: ServerName): string => join(state, 'logs', `${name}.log`);

function placeOf(state: string, now: StackState, server: Server): Place {
  const ports = Object.fromEntries(
    Object.entries(server.ports).map(([name, usual]) => [name, now.ports[name] ?? usual]),
  );
  const root = server.refusesRoot && isRoot() ? openStateFolder(state) : state;
  const home = packageFolder(packageOf(server));
  const { credentials, ports: allPorts } = now;
  return { home, folder: join(root, server.name), ports, allPorts, credentials, javaHome: '' };
}

function running(state: string, now: StackState): RunningStack {
  const servers = serversOf(kafkaOf(now));
  const started = serverNames.filter((name) => now.processes[name]);
  const environments = started.map((name) => servers[name].environment(placeOf(state, now, servers[name])));
  const links = started.flatMap((name) => {
    const link = servers[name].link?.(placeOf(state, now, servers[name]));
    return link === undefined ? [] : [[name, link] as const];
  });
  return {
    state,
    environment: Object.assign({}, ...environments) as Record<string, string>,
    links: Object.fromEntries(links),
  };
}

/** Ports are settled once for a server that runs, and anew for one that does not; which Kafka there is, once. */
async function settle(state: string, kind: KafkaKind, names: readonly ServerName[], free: boolean): Promise<void> {
  const now = (await readState(state)) ?? emptyState();
  // Once more, behind the lock: another `up` may have chosen meanwhile.
  settleKafka(now, kind, names);
  const servers = serversOf(kind);
  const runs = (name: ServerName): boolean => {
    const identity = now.processes[name];
    return identity !== undefined && isAlive(identity);
  };
  const wanted = names
    // A Kafka that runs looks for ZooKeeper where it was.
    .filter((name) => !runs(name) && !(name === 'zookeeper' && runs('kafka')))
    .flatMap((name) => Object.entries(servers[name].ports));
  const ports = free ? await freePorts(wanted.length) : [];
  const chosen = wanted.map(([name, usual], at) => [
    name,
    free ? (now.ports[name] ?? ports[at] ?? usual) : chosenPort(name, usual, process.env),
  ]);
  const kafka = names.includes('kafka') ? { kafka: kind } : {};
  await writeState(state, { ...now, ...kafka, ports: { ...now.ports, ...Object.fromEntries(chosen) } });
}

async function requireState(folder: string): Promise<StackState> {
  const state = await readState(folder);
  if (!state)
    throw new SluiceError('StackUnavailable', `There is no stack in ${folder}: start it with "npm run stack -- up".`);
  return state;
}
