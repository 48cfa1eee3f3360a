import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import type { ImportResult } from '../../src/definition/refs.ts';
import { decodeParquet, type Row } from '../../src/formats/parquet.ts';
import { unattended, type Progress, type StageContext, type StageDeps } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import type { ImportInput } from '../../src/stages/io.ts';
import { stageDeps } from './servers.ts';
import { testStack } from './stack.ts';

/** What a request was, as the source saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The import stage on a real object store, and a source on loopback that does what a test wants. */
export class ImportLab {
  deps: StageDeps;
  readonly hour = toLogicalHour(new Date());
  readonly seen: Seen[] = [];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #bucket: string;
  readonly #servers: Server[] = [];
  #allowed: string[] = [];

  private constructor(environment: Readonly<Record<string, string | undefined>>, bucket: string) {
    this.#environment = environment;
    this.#bucket = bucket;
    this.deps = stageDeps(environment, bucket);
  }

  static async start(): Promise<ImportLab> {
    const { environment } = await testStack();
    const lab = new ImportLab(environment, `lab-${randomBytes(4).toString('hex')}`);
    await lab.deps.store.ensureBucket();
    return lab;
  }

  /** Settings of the worker, as its environment would have them. */
  async configure(more: Readonly<Record<string, string>>): Promise<void> {
    await this.deps.search.close();
    const allowed = { SLUICE_SOURCE_ALLOW: this.#allowed.join(',') };
    this.deps = stageDeps({ ...this.#environment, ...allowed, ...more }, this.#bucket);
  }

  /** Serves on loopback. @param allow Whether the worker may go there. */
  async serve(handler: RequestListener, allow = true): Promise<string> {
    const listening = Promise.withResolvers<void>();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        this.seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        handler(request, response);
      });
    });
    this.#servers.push(server);
    server.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (allow) this.allow(host);
    return `http://${host}`;
  }

  allow(host: string): void {
    this.#allowed.push(host);
    this.deps = { ...this.deps, settings: { ...this.deps.settings, sourceAllow: [...this.#allowed] } };
  }

  define(
    url: string | string[],
    source: Partial<PipelineInput['source']> = {},
    more: Partial<PipelineInput> = {},
  ): Pipeline {
    return pipelineSchema.parse({
      name: `i-${randomBytes(4).toString('hex')}`,
      source: { url, ...source },
      columns: { id: { name: 'id', required: true }, name: { name: 'name' } },
      key: ['id'],
      ...more,
    });
  }

  run(pipeline: Pipeline, input: Partial<ImportInput> = {}, context: StageContext = unattended): Promise<ImportResult> {
    const usual = { pipeline, hour: this.hour, refetch: false, useCurrent: false, force: false };
    return importSource(this.deps, { ...usual, ...input }, context);
  }

  /** What it fails with. */
  async failure(work: Promise<unknown>): Promise<{ code?: string; message: string; facts?: Record<string, unknown> }> {
    return work.then(
      () => ({ message: 'it did not fail' }),
      (error: unknown) => error as Error,
    );
  }

  /** Runs attempt after attempt as Temporal does: each knows the last heartbeat of the one before. */
  async attempts(pipeline: Pipeline, most = 10): Promise<{ result: ImportResult; failures: string[] }> {
    const failures: string[] = [];
    let previous: Progress | undefined;
    for (;;) {
      try {
        const context: StageContext = {
          signal: new AbortController().signal,
          previous: JSON.parse(JSON.stringify(previous ?? null)) as unknown,
          progress: (progress) => (previous = progress),
        };
        return { result: await this.run(pipeline, {}, context), failures };
      } catch (error) {
        failures.push((error as { code?: string }).code ?? String(error));
        if (failures.length >= most) throw error;
      }
    }
  }

  async rows({ parsed }: ImportResult): Promise<Row[]> {
    const columns = [
      ...parsed.header.map((name) => ({ name, type: 'string' }) as const),
      ...['_file', '_row', '_line', '_offset'].map((name) => ({ name, type: 'integer' }) as const),
    ];
    const parts = await Promise.all(parsed.parts.map((part) => this.deps.store.fetch(part)));
    return parts.flatMap((bytes) => [...decodeParquet(columns, bytes)].flat());
  }

  async keys(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.deps.store.list(prefix)) found.push(key);
    return found;
  }

  quiet(): void {
    for (const server of this.#servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    this.#allowed = [];
    this.seen.length = 0;
  }

  async stop(): Promise<void> {
    this.quiet();
    await this.deps.search.close();
  }
}
