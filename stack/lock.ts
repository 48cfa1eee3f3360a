import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 250;

/**
 * Runs some work that only one process at a time may do for a path. The lock is a listening socket, which the system takes back from
 * whoever dies: a lock file would have to be judged stale, and two who judge at once may both win.
 * @param waiting called once when somebody else holds it, with that process's id
 */
export async function withLock<T>(path: string, waiting: (holder: number) => void, work: () => Promise<T>): Promise<T> {
  const address = addressOf(path);
  let told = false;
  let lock = await take(address);
  while (!lock) {
    const holder = await holderOf(address);
    if (holder === 'gone') await rm(address, { force: true });
    else if (holder !== undefined && !told) {
      waiting(holder);
      told = true;
    }
    await wait(LOOK_EVERY_MS);
    lock = await take(address);
  }
  try {
    return await work();
  } finally {
    const held = lock;
    await new Promise((resolve) => held.close(resolve));
  }
}

/** Linux has names for sockets that lie in no folder and end with their process. Elsewhere it is a file. */
function addressOf(path: string): string {
  const name = `sluice-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

async function take(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.on('error', () => {}).end(String(process.pid)));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}

/** Who holds a lock; undefined where it does not say so in time, or has just let go; `gone` where a file outlived its process. */
function holderOf(address: string): Promise<number | 'gone' | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address);
    socket.setTimeout(2_000, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('end', () => resolve(text === '' ? undefined : Number(text)));
    socket.on('error', () => resolve(address.startsWith('\0') ? undefined : 'gone'));
  });
}
