import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 60_000;

/** Takes every connection, and never says a word: as a server that is stopped, or a balancer in front of nothing. */
export class MuteServer {
  readonly address: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #connections = 0;
  #heard = false;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => {
      this.#connections += 1;
      this.#open.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => (this.#heard = true));
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  static async open(): Promise<MuteServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new MuteServer(server);
  }

  /** Somebody has said something, and waits for an answer. */
  untilHeard(): Promise<void> {
    return until('said anything', () => this.#heard);
  }

  untilConnections(count: number): Promise<void> {
    return until(`connected ${count} times`, () => this.#connections >= count);
  }

  /** Nobody is connected any more. */
  untilLeft(): Promise<void> {
    return until('left', () => this.#open.size === 0);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

async function until(what: string, is: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!is()) {
    if (performance.now() > end) throw new Error(`Nobody has ${what} within ${PATIENCE_MS / 1_000} s.`);
    await wait(LOOK_EVERY_MS);
  }
}
