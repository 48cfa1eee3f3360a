import { createServer, request as ask, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * What becomes of a request: `undefined` passes it on. A handler may call `pass` (also with another body), which applies it at the server,
 * and answer otherwise; `cut` ends the connection without an answer, `hang` never answers.
 */
export type Handler = (
  asked: Asked,
  pass: (body?: Buffer) => Promise<Answer>,
) => Promise<Answer | 'cut' | 'hang' | undefined> | undefined;

export interface HttpProxy {
  readonly url: string;
  handler: Handler;
  close(): Promise<void>;
}

/** A proxy before one HTTP server. Headers pass as they are, the host too: signed requests stay valid. */
export async function httpProxy(target: string, handler: Handler): Promise<HttpProxy> {
  const { hostname, port } = new URL(target);
  const proxy: { handler: Handler } = { handler };
  const pass = (asked: Asked, body: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { ...asked.headers } as Record<string, string>;
      delete headers['transfer-encoding'];
      if (asked.method !== 'GET' && asked.method !== 'HEAD') headers['content-length'] = String(body.length);
      const upstream = ask({ hostname, port, method: asked.method, path: asked.path, headers }, (answer) => {
        void read(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      upstream.on('error', reject);
      upstream.end(body);
    });
  const server = createServer((request, response) => {
    void (async () => {
      const body = await read(request);
      const asked = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      const own = await proxy.handler(asked, (other) => pass(asked, other ?? body));
      if (own === 'hang') return;
      if (own === 'cut') {
        request.socket.destroy();
        return;
      }
      const answer = own ?? (await pass(asked, body));
      const headers = { ...answer.headers };
      delete headers['transfer-encoding'];
      if (asked.method !== 'HEAD') headers['content-length'] = String(answer.body.length);
      response.writeHead(answer.status, headers as Record<string, string>);
      response.end(answer.body);
    })().catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const { port: listening } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    url: `http://${hostname}:${listening}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}
