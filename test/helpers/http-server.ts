import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came, whole. */
export interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** HTTP servers on loopback that keep what they are asked. */
export class HttpServers {
  readonly #open = new Set<Server>();

  /** @param answer gives the answer, or breaks off; 200 and `ok` where left out @param n counts requests from 0 */
  async open(answer?: (response: ServerResponse, n: number) => void): Promise<{ url: string; taken: Taken[] }> {
    const taken: Taken[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        taken.push({ path: request.url ?? '', headers: request.headers, body });
        if (answer) answer(response, taken.length - 1);
        else response.end('ok');
      });
    });
    this.#open.add(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
  }

  close(): void {
    for (const server of this.#open) {
      server.close();
      server.closeAllConnections();
    }
    this.#open.clear();
  }
}
