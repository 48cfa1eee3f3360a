import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Store } from '../../src/connectors/object-store.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import type { ObjectRef } from '../../src/definition/refs.ts';
import type { Actor } from './actor.ts';

/** Keys of one page of a listing. A server gives 1,000; few make sure that lists are made of several. */
const PAGE = 3;

/** What is in the bucket, whoever asks. */
export class MemoryBucket {
  readonly #objects = new Map<string, { readonly bytes: Buffer; readonly at: number }>();
  #sorted: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  get(key: string): Buffer | undefined {
    return this.#objects.get(key)?.bytes;
  }

  json<T>(key: string): T | undefined {
    const bytes = this.get(key);
    return bytes && (JSON.parse(bytes.toString()) as T);
  }

  modified(key: string): number {
    return this.#objects.get(key)?.at ?? 0;
  }

  put(key: string, bytes: Buffer): void {
    if (!this.#objects.has(key)) this.#sorted.splice(this.#place(key), 0, key);
    this.#objects.set(key, { bytes, at: this.#now() });
  }

  remove(key: string): void {
    if (this.#objects.delete(key)) this.#sorted.splice(this.#place(key), 1);
  }

  /** Keys below a prefix in the order of their code units. */
  keys(prefix: string, startAfter = '', most = Infinity): string[] {
    const found: string[] = [];
    for (let at = this.#place(prefix); at < this.#sorted.length && found.length < most; at += 1) {
      const key = this.#sorted[at] ?? '';
      if (!key.startsWith(prefix)) break;
      if (key > startAfter) found.push(key);
    }
    return found;
  }

  #place(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A {@link MemoryBucket} as one process sees it: every request is a call that may be lost, or the last one of that process. */
export class MemoryStore implements Store {
  readonly bucket = 'model';
  readonly #in: MemoryBucket;
  readonly #actor: Pick<Actor, 'call'>;

  constructor(bucket: MemoryBucket, actor: Pick<Actor, 'call'>) {
    this.#in = bucket;
    this.#actor = actor;
  }

  uri(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }

  keyOf(uri: string): string {
    return uri.slice(`s3://${this.bucket}/`.length);
  }

  async ensureBucket(): Promise<boolean> {
    return false;
  }

  /** Two requests, as at the server: the put, and where that was refused, the reading of what stands there. */
  async createOnce(key: string, bytes: Buffer): Promise<{ created: boolean; bytes: Buffer }> {
    const created = await this.#actor.call(() => {
      if (this.#in.has(key)) return false;
      this.#in.put(key, bytes);
      return true;
    });
    return { created, bytes: created ? bytes : await this.get(key) };
  }

  async createJson<T>(key: string, value: T): Promise<{ created: boolean; value: T }> {
    const { created, bytes } = await this.createOnce(key, Buffer.from(JSON.stringify(value)));
    return { created, value: JSON.parse(bytes.toString()) as T };
  }

  async put(key: string, bytes: Buffer): Promise<ObjectRef> {
    await this.#actor.call(() => this.#in.put(key, bytes));
    return { uri: this.uri(key), sha256: sha256(bytes), bytes: bytes.length };
  }

  async upload(source: Readable | string, keyOf: (sha256: string) => string): Promise<ObjectRef> {
    if (typeof source === 'string') throw new RangeError('the model has no files');
    const bytes = await buffer(source);
    return this.put(keyOf(sha256(bytes)), bytes);
  }

  async compose(from: readonly string[], key: string): Promise<void> {
    await this.#actor.call(() => this.#in.put(key, Buffer.concat(from.map((one) => this.#standing(one)))));
  }

  async get(key: string): Promise<Buffer> {
    return this.#actor.call(() => this.#standing(key));
  }

  async find(key: string): Promise<Buffer | undefined> {
    return this.#actor.call(() => this.#in.get(key));
  }

  async findJson<T>(key: string): Promise<T | undefined> {
    const bytes = await this.find(key);
    return bytes && (JSON.parse(bytes.toString()) as T);
  }

  async exists(key: string): Promise<boolean> {
    return this.#actor.call(() => this.#in.has(key));
  }

  async stream(key: string): Promise<Readable> {
    return Readable.from([await this.get(key)]);
  }

  async fetch(ref: ObjectRef): Promise<Buffer> {
    const bytes = await this.get(this.keyOf(ref.uri));
    if (sha256(bytes) !== ref.sha256) throw new SluiceError('ObjectCorrupt', `${ref.uri} was changed.`);
    return bytes;
  }

  async download(ref: ObjectRef, path: string): Promise<void> {
    await writeFile(path, await this.fetch(ref));
  }

  async copyTo(key: string, path: string): Promise<void> {
    await writeFile(path, await this.get(key));
  }

  /** A request a page: what others do between two pages is seen in the later one. */
  async *list(prefix: string, startAfter = ''): AsyncGenerator<{ key: string; bytes: number; lastModified: Date }> {
    let last = startAfter;
    for (;;) {
      const from = last;
      const page = await this.#actor.call(() =>
        this.#in.keys(prefix, from, PAGE).map((key) => ({
          key,
          bytes: this.#in.get(key)?.length ?? 0,
          lastModified: new Date(this.#in.modified(key)),
        })),
      );
      yield* page;
      if (page.length < PAGE) return;
      last = page.at(-1)?.key ?? last;
    }
  }

  async lastKey(prefix: string): Promise<string | undefined> {
    let last: string | undefined;
    for await (const { key } of this.list(prefix)) last = key;
    return last;
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#actor.call(() => keys.forEach((key) => this.#in.remove(key)));
  }

  async removeBelow(prefix: string): Promise<void> {
    const found: string[] = [];
    for await (const { key } of this.list(prefix)) found.push(key);
    await this.remove(found);
  }

  #standing(key: string): Buffer {
    const bytes = this.#in.get(key);
    if (!bytes) throw new SluiceError('ObjectCorrupt', `${this.uri(key)} should exist and does not.`);
    return bytes;
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
