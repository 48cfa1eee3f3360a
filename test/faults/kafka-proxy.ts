import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

const PRODUCE = 0;
const METADATA = 3;
const FIND_COORDINATOR = 10;

/** A proxy before one broker that reads the frames going by. */
export interface KafkaProxy {
  /** `host:port` for clients. */
  readonly address: string;
  /** Produce responses so far, those that were dropped included. */
  readonly produced: number;
  readonly dropped: number;
  close(): Promise<void>;
}

/**
 * Passes everything on, late by what `late` says of an answer, but a produce response only if `drop` says no: the broker has appended the records by then, and the client sees its
 * connection cut. Clients learn a broker's address from its own answers, so the port in those becomes the proxy's.
 * @param drop Asked with the number of the response, counted from 1.
 */
export async function kafkaProxy(
  broker: string,
  drop: (nth: number) => boolean,
  late: () => number = () => 0,
): Promise<KafkaProxy> {
  const [host = '', port = ''] = broker.split(':');
  const sockets = new Set<Socket>();
  let produced = 0;
  let dropped = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    const asked = new Map<number, number>();
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on(
      'data',
      frames((frame) => {
        asked.set(frame.readInt32BE(8), frame.readInt16BE(4));
        upstream.write(frame);
      }),
    );
    upstream.on(
      'data',
      frames((frame) => {
        const correlation = frame.readInt32BE(4);
        const api = asked.get(correlation);
        asked.delete(correlation);
        if (api === PRODUCE) {
          produced += 1;
          if (drop(produced)) {
            dropped += 1;
            cut();
            return;
          }
        }
        if (api === METADATA || api === FIND_COORDINATOR) renamePort(frame, host, Number(port), listening);
        const ms = late();
        if (ms === 0) client.write(frame);
        else setTimeout(() => client.write(frame), ms);
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port: listening } = server.address() as AddressInfo;
  return {
    address: `${host}:${listening}`,
    get produced() {
      return produced;
    },
    get dropped() {
      return dropped;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Cuts a stream into frames, each with its length of four bytes in front. */
function frames(each: (frame: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= held.readInt32BE(0) + 4) {
      const end = held.readInt32BE(0) + 4;
      each(Buffer.from(held.subarray(0, end)));
      held = held.subarray(end);
    }
  };
}

/** Host and port stand next to each other in both answers: the host as a string with its length, the port in four bytes. */
function renamePort(frame: Buffer, host: string, from: number, to: number): void {
  const wanted = Buffer.alloc(2 + host.length + 4);
  wanted.writeInt16BE(host.length, 0);
  wanted.write(host, 2);
  wanted.writeInt32BE(from, 2 + host.length);
  for (let at = frame.indexOf(wanted); at >= 0; at = frame.indexOf(wanted, at + 1))
    frame.writeInt32BE(to, at + 2 + host.length);
}
