import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { SluiceClient } from '../../src/client/sluice-client.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { runSluice, type Outcome } from './cli.ts';
import { newNamespace } from './namespace.ts';
import { testStack } from './stack.ts';
import { bundleVariables } from './worker-bundle.ts';

/** What the source serves: a body, or what a test makes of a request. */
export interface Served {
  status?: number;
  type?: string;
  body: string | Buffer;
  /** Answers in place of the body. */
  handler?: RequestListener;
}

/** The whole application against the test stack: a worker process, a client, and a source whose content a test may change. */
export class TestApp {
  readonly environment: Record<string, string | undefined>;
  readonly client: SluiceClient;
  readonly folder: string;
  readonly source: string;
  readonly files = new Map<string, Served>();
  worker: WorkerProcess;
  readonly #close: () => Promise<void>;

  private constructor(
    parts: Pick<TestApp, 'environment' | 'client' | 'folder' | 'source' | 'worker'>,
    close: () => Promise<void>,
  ) {
    this.environment = parts.environment;
    this.client = parts.client;
    this.folder = parts.folder;
    this.source = parts.source;
    this.worker = parts.worker;
    this.#close = close;
  }

  /** @param other variables that lead to other servers than those of the test stack, also by the host of the source */
  static async start(
    other: Readonly<Record<string, string>> | ((source: string) => Readonly<Record<string, string>>) = {},
  ): Promise<TestApp> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-app-'));
    let files: Map<string, Served> | undefined;
    const server = createServer((request, response) => {
      const found = files?.get(request.url ?? '');
      if (found?.handler) {
        found.handler(request, response);
        return;
      }
      response.writeHead(found ? (found.status ?? 200) : 404, { 'content-type': found?.type ?? 'text/csv' });
      response.end(found?.body ?? 'not here');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { environment: stack } = await testStack();
    const own: Readonly<Record<string, string>> = typeof other === 'function' ? other(host) : other;
    const ownTemporal = 'TEMPORAL_ADDRESS' in own || 'TEMPORAL_NAMESPACE' in own;
    const environment = {
      // Of each pipeline that a test has defined a consumer stays, and holds a place.
      SLUICE_WORKER_QUEUES: 'light=20,compute=2,streaming=500,watch=20',
      ...process.env,
      ...stack,
      ...bundleVariables,
      // Of its own: what other tests have left behind is nothing that this worker goes on with.
      ...(ownTemporal ? {} : { TEMPORAL_NAMESPACE: await newNamespace(stack['TEMPORAL_ADDRESS']) }),
      ...own,
      SLUICE_SOURCE_ALLOW: host,
      SLUICE_LOCAL_COPIES: join(folder, 'copies'),
      SLUICE_WORK_DIR: join(folder, 'work'),
    };
    const worker = await startWorker(environment, join(folder, 'worker.log'));
    const client = await SluiceClient.connect(environment);
    const app = new TestApp({ environment, client, folder, source: `http://${host}`, worker }, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    files = app.files;
    return app;
  }

  async restartWorker(): Promise<void> {
    this.worker = await startWorker(this.environment, join(this.folder, 'worker.log'));
  }

  /** A definition of its own: nothing is shared with other tests but the servers. */
  define(input: Partial<PipelineInput> = {}): { input: PipelineInput; pipeline: Pipeline } {
    const name = `e-${randomBytes(4).toString('hex')}`;
    const whole: PipelineInput = {
      name,
      source: { url: `${this.source}/${name}.csv` },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal', precision: 12, scale: 3 },
      },
      key: ['id'],
      land: { type: 'kind' },
      ...input,
    };
    return { input: whole, pipeline: pipelineSchema.parse(whole) };
  }

  serve(pipeline: { readonly name: string }, served: Served): void {
    this.files.set(`/${pipeline.name}.csv`, served);
  }

  /** Runs the command line as a user does. */
  cli(args: readonly string[], environment = this.environment): Promise<Outcome> {
    return runSluice(args, environment);
  }

  /** Writes a definition to a file, as `sluice run` wants it. */
  async definitionFile(input: PipelineInput): Promise<string> {
    const file = join(this.folder, `${input.name}.yaml`);
    await writeFile(file, stringify(input));
    return file;
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.worker.stop();
    await this.#close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
