import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { TemporalAnswers } from '../connectors/temporal-answers.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';

/** How long Temporal may take to answer whoever asks for readiness. */
const ANSWER_MS = 2_000;

const loopback = /^(127(\.\d+){3}|localhost|::1|\[::1\])$/i;

/** What a worker process is about. */
export interface Serving {
  readonly connection: NativeConnection;
  readonly workers: readonly Worker[];
}

/**
 * Answers `GET /healthz` (the process is alive) and `GET /readyz` (all of its workers take up work, and Temporal answers), each with 200 or 503 and
 * `{"ready": …, "message": "one sentence"}`. It tells nothing else, not even where Temporal is, so it asks for no credentials; on a loopback address it answers to loopback's names alone.
 */
export class Health {
  readonly url: string;
  readonly #close: () => Promise<void>;
  #serving: (Pick<Serving, 'workers'> & { readonly temporal: TemporalAnswers }) | undefined;
  #stopping = false;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** @throws SluiceError `SettingsInvalid` where the address cannot be had */
  static async listen(place: { readonly host: string; readonly port: number }): Promise<Health> {
    let health: Health | undefined;
    const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
      void health?.answer(request, response, loopback.test(place.host));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        const message = `Health cannot be told at ${place.host}:${place.port}: ${sentenceOf(error)}; give another address with --health.`;
        reject(new SluiceError('SettingsInvalid', message, { cause: error }));
      });
      server.listen(place.port, place.host, resolve);
    });
    const { port } = server.address() as AddressInfo;
    // Whoever asks may not keep the process from ending.
    server.unref();
    const host = place.host.includes(':') ? `[${place.host}]` : place.host;
    health = new Health(`http://${host}:${port}`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return health;
  }

  serves({ connection, workers }: Serving): void {
    const ask = (): Promise<unknown> =>
      connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
    const told = (error: unknown): void => {
      process.stderr.write(`${new Date().toISOString()} WARN Temporal does not answer: ${sentenceOf(error)}\n`);
    };
    this.#serving = { workers, temporal: new TemporalAnswers(ask, told) };
  }

  stops(): void {
    this.#stopping = true;
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async answer(request: IncomingMessage, response: ServerResponse, loopbackOnly: boolean): Promise<void> {
    const { method = '', url = '', headers } = request;
    const path = url.split('?')[0];
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    if (loopbackOnly && !loopback.test(host)) return reply(response, 403, `This worker does not answer to "${host}".`);
    if (path !== '/healthz' && path !== '/readyz') return reply(response, 404, 'There are /healthz and /readyz.');
    if (method !== 'GET' && method !== 'HEAD') return reply(response, 405, 'Ask with GET.', { allow: 'GET, HEAD' });
    if (path === '/healthz') return reply(response, 200, 'The process is alive.');
    const problem = await this.problem();
    return reply(response, problem === undefined ? 200 : 503, problem ?? 'The worker takes up work.');
  }

  /** Why this worker takes up no work; undefined where it does. */
  async problem(): Promise<string | undefined> {
    if (this.#stopping) return 'The worker was told to stop, and hands over what it holds.';
    if (this.#serving === undefined) return 'The worker starts.';
    const { temporal, workers } = this.#serving;
    const resting = workers.find((worker) => worker.getState() !== 'RUNNING');
    if (resting) return `The worker of ${resting.options.taskQueue} is ${resting.getState().toLowerCase()}.`;
    return (await temporal.now()) ? undefined : 'Temporal does not answer.';
  }
}

function reply(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${JSON.stringify({ ready: status === 200, message })}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(body);
}
