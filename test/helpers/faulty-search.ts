import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What befalls one bulk request on its way. */
export type Fault =
  /** The server refuses all of it for overload; nothing is written. */
  | { readonly kind: 'refuse' }
  /** The server refuses every nth document for overload, and writes the others. */
  | { readonly kind: 'refuse-some'; readonly every: number }
  /** It is written, and the answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** It is written, and the answer does not come. */
  | { readonly kind: 'hold-answer' }
  /** Whatever stands between refuses bodies of more bytes. */
  | { readonly kind: 'limit'; readonly bytes: number };

/** A proxy before the real Elasticsearch, for what that will not do on demand: each bulk request may meet a fault. */
export class FaultySearch {
  readonly url: string;
  /** Bulk requests that came, in order. */
  bulks = 0;
  /** Asked for each bulk request, by its number from 0. */
  fault: (bulk: number) => Fault | undefined = () => undefined;
  /** Awaited before each bulk request goes on. */
  before: () => Promise<void> = async () => {};
  /** Awaited before any other request goes on. */
  beforeOther: (path: string) => Promise<void> = async () => {};
  readonly #server: Server;
  readonly #target: string;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, answer) => void this.#handle(incoming, answer).catch(() => answer.destroy()));
  }

  static async start(target: string): Promise<FaultySearch> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultySearch(server, target);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    if (!(incoming.url ?? '').includes('_bulk')) {
      await this.beforeOther(incoming.url ?? '');
      return this.#forward(incoming, body, answer);
    }
    const fault = this.fault(this.bulks++);
    await this.before();
    switch (fault?.kind) {
      case undefined:
        return this.#forward(incoming, body, answer);
      case 'refuse':
        return send(answer, 429, overloaded('es_rejected_execution_exception'));
      case 'limit':
        if (body.length <= fault.bytes) return this.#forward(incoming, body, answer);
        return send(answer, 413, {});
      case 'lose-answer':
        await this.#ask(incoming, body);
        answer.destroy();
        return;
      case 'hold-answer':
        await this.#ask(incoming, body);
        return;
      case 'refuse-some':
        return this.#refuseSome(incoming, body, answer, fault.every);
    }
  }

  /** Only index actions, two lines each. */
  async #refuseSome(incoming: IncomingMessage, body: Buffer, answer: ServerResponse, every: number): Promise<void> {
    const lines = body.toString().trimEnd().split('\n');
    const pairs = Array.from({ length: lines.length / 2 }, (_, at) => `${lines[at * 2]}\n${lines[at * 2 + 1]}\n`);
    const taken = pairs.filter((_, at) => at % every !== 0);
    const items =
      taken.length === 0
        ? []
        : (JSON.parse((await this.#ask(incoming, Buffer.from(taken.join('')))).body.toString()) as { items: unknown[] })
            .items;
    const all = pairs.map((_, at) =>
      at % every === 0 ? { index: { status: 429, ...overloaded('circuit_breaking_exception') } } : items.shift(),
    );
    send(answer, 200, { took: 1, errors: true, items: all });
  }

  async #forward(incoming: IncomingMessage, body: Buffer, answer: ServerResponse): Promise<void> {
    const { status, headers, body: bytes } = await this.#ask(incoming, body);
    answer.writeHead(status, headers).end(bytes);
  }

  async #ask(incoming: IncomingMessage, body: Buffer) {
    const { 'content-length': _length, 'transfer-encoding': _encoding, host: _host, ...headers } = incoming.headers;
    const asked = request(`${this.#target}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(body.length > 0 ? { 'content-length': body.length } : {}),
      },
    });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      asked.on('response', resolve).on('error', reject).end(body);
    });
    const { 'transfer-encoding': _chunked, ...kept } = response.headers;
    return { status: response.statusCode ?? 502, headers: kept, body: await bodyOf(response) };
  }
}

const overloaded = (type: string): object => ({ error: { type, reason: 'too much at once' } });

function send(answer: ServerResponse, status: number, body: object): void {
  // The client takes no answer for Elasticsearch's without the header.
  answer.writeHead(status, {
    'content-type': 'application/vnd.elasticsearch+json;compatible-with=9',
    'x-elastic-product': 'Elasticsearch',
  });
  answer.end(JSON.stringify(body));
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
