import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { SluiceError } from '../src/definition/errors.ts';
import { LOOPBACK } from './servers/server.ts';

/** `temporalUi` → `SLUICE_PORT_TEMPORAL_UI` */
export const portVariable = (name: string): string =>
  `SLUICE_PORT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** The port for a purpose: the environment's, or the usual one. @throws SluiceError `SettingsInvalid` */
export function chosenPort(
  name: string,
  usual: number,
  environment: Readonly<Record<string, string | undefined>>,
): number {
  const text = environment[portVariable(name)];
  if (text === undefined || text === '') return usual;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new SluiceError(
    'SettingsInvalid',
    `${portVariable(name)} is "${text}", which is no port: give a number from 1 to 65535.`,
  );
}

/** From here on, below those that systems hand out by themselves (Linux from 32768, others from 49152). */
const FIRST_FREE = 10_000;
const LAST_FREE = 32_767;

/**
 * Ports that nobody listens on, all different. None is of those that the system hands out to whoever asks for any: a connection may be
 * given one of these before the server takes it, or while the server is down for a moment.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST_FREE, LAST_FREE + 1);
    if (!ports.has(port) && !(await isTaken(port))) ports.add(port);
  }
  return [...ports];
}

/**
 * @param graceMs For so long a port that is taken may become free.
 * @throws SluiceError `StackUnavailable` where some process that is not ours listens on a port
 */
export async function requireFree(server: string, name: string, port: number, graceMs = 0): Promise<void> {
  const deadline = Date.now() + graceMs;
  while (await isTaken(port)) {
    if (Date.now() >= deadline) throw taken(server, name, port);
    await wait(200);
  }
}

function taken(server: string, name: string, port: number): SluiceError {
  return new SluiceError(
    'StackUnavailable',
    `Port ${port} for ${server} is held by a process that this stack did not start: stop that process, or choose another port ` +
      `with ${portVariable(name)}=NUMBER (or --free-ports).`,
  );
}

async function isTaken(port: number): Promise<boolean> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: LOOPBACK, timeout: 1_000 });
    const settle = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket
      .on('connect', () => settle(true))
      .on('error', () => settle(false))
      .on('timeout', () => settle(true));
  });
  if (answered) return true;
  try {
    const server = await listenOn(port);
    await new Promise((resolve) => server.close(resolve));
    return false;
  } catch {
    return true;
  }
}

function listenOn(port: number): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}
