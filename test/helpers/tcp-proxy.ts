import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '../../stack/ports.ts';

/** A server's other address, which can go away and come back. */
export interface TcpProxy {
  readonly address: string;
  /** Cuts what there is, and takes no more. */
  close(): Promise<void>;
  open(): Promise<void>;
}

export async function proxyOf(address: string): Promise<TcpProxy> {
  const [host = '', port = ''] = address.split(':');
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  // It is away for a while, and nobody else may have its port then.
  const [own = 0] = await freePorts(1);
  const open = async (): Promise<void> => {
    server = createServer((near) => {
      const far = connect(Number(port), host);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => server?.listen(own, '127.0.0.1', resolve));
  };
  await open();
  return {
    address: `127.0.0.1:${own}`,
    open,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(undefined)));
    },
  };
}
