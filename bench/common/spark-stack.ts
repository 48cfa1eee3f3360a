import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ObjectStore } from '../../src/connectors/object-store.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { removeScratch } from '../../src/stages/scratch.ts';
import { down, status, up } from '../../stack/index.ts';

/** MinIO and a Spark Connect server of a benchmark's own, on free ports. */
export class SparkStack {
  readonly state: string;
  readonly #bucket = `bench-${randomBytes(4).toString('hex')}`;
  #environment: Record<string, string> = {};

  constructor(folder: string) {
    this.state = join(folder, 'stack');
  }

  async start(): Promise<void> {
    await this.#up();
    await this.store.ensureBucket();
  }

  /** A new server in place of the one that runs, as cold as any other JVM that was started just now. */
  async restartSpark(): Promise<void> {
    await this.stopSpark();
    await this.#up();
  }

  async stopSpark(): Promise<void> {
    await down({ state: this.state, only: ['spark'] });
  }

  async #up(): Promise<void> {
    const stack = await up({ state: this.state, freePorts: true, only: ['minio', 'spark'] });
    this.#environment = { ...stack.environment, SLUICE_S3_BUCKET: this.#bucket };
  }

  /** For processes that work with it. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#environment };
  }

  get store(): ObjectStore {
    return new ObjectStore(readSettings(this.#environment).store);
  }

  async sparkPid(): Promise<number> {
    const [found] = await status({ state: this.state, only: ['spark'] });
    return found?.pid ?? 0;
  }

  /** Sends parts to the object store. @returns their uris */
  async send(parts: readonly string[]): Promise<string[]> {
    const uris: string[] = [];
    for (const [at, part] of parts.entries()) {
      const key = `${PARTS}part-${String(at).padStart(5, '0')}.parquet`;
      uris.push((await this.store.upload(part, () => key)).uri);
    }
    return uris;
  }

  async removeParts(): Promise<void> {
    await removeScratch(this.store, PARTS);
  }

  async stop(): Promise<void> {
    await down({ state: this.state, remove: true });
  }
}

/** Below `tmp/`, as nothing else may be removed by its prefix. */
const PARTS = 'tmp/bench/';
