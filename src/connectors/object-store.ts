import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, CopyDestinationOptions, CopySourceOptions } from 'minio';
import { SluiceError } from '../definition/errors.ts';
import type { ObjectRef } from '../definition/refs.ts';
import { failPoint } from './fail-point.ts';
import { hashing } from './hashing-stream.ts';
import { meteredStream, moved, waitingForEach, waitingOn } from './meter.ts';
import { checkHash, codeOf, isMissing, storeError } from './object-store-errors.ts';
import type { Settings } from './settings.ts';
import { tracedRequest } from './tracing.ts';

/** Above this, minio-js uploads in parts, and a conditional create is no longer atomic (two winners were seen). */
const SINGLE_PUT_BYTES = 64 * 1024 * 1024;
/** Part size of streamed uploads. Without one, minio-js buffers 525 MB for a stream of unknown length. */
const STREAM_PART_BYTES = 16 * 1024 * 1024;

/** An object store by what it does: a test may put another one in place of the server's. */
export type Store = Pick<ObjectStore, keyof ObjectStore>;

/** The S3-compatible object store: one bucket, everything by key. */
export class ObjectStore {
  readonly bucket: string;
  readonly #single: Client;
  readonly #streaming: Client;
  readonly #endpoint: string;

  constructor(settings: Settings['store']) {
    const url = new URL(settings.endpoint);
    const options = {
      endPoint: url.hostname,
      port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
      useSSL: url.protocol === 'https:',
      accessKey: settings.accessKey,
      secretKey: settings.secretKey,
      region: 'us-east-1',
    };
    this.bucket = settings.bucket;
    this.#endpoint = url.host;
    this.#single = new Client({ ...options, partSize: SINGLE_PUT_BYTES });
    this.#streaming = new Client({ ...options, partSize: STREAM_PART_BYTES });
  }

  uri(key: string): string {
    return `s3://${this.bucket}/${key}`;
  }

  /** The key in a uri of this bucket. */
  keyOf(uri: string): string {
    const prefix = `s3://${this.bucket}/`;
    if (!uri.startsWith(prefix)) throw new SluiceError('ObjectCorrupt', `${uri} is not in the bucket ${this.bucket}.`);
    return uri.slice(prefix.length);
  }

  async ensureBucket(): Promise<boolean> {
    return this.#guard(`bucket ${this.bucket}`, async () => {
      if (await this.#single.bucketExists(this.bucket)) return false;
      try {
        await this.#single.makeBucket(this.bucket, 'us-east-1');
        return true;
      } catch (error) {
        if (codeOf(error) === 'BucketAlreadyOwnedByYou') return false;
        throw error;
      }
    });
  }

  /**
   * Writes an object only where there is none. Two writers never both win, and a lost response is told from a lost race
   * by comparing the bytes.
   * @returns `created`, and the bytes that now stand under the key: ours, or the winner's.
   */
  async createOnce(key: string, bytes: Buffer): Promise<{ created: boolean; bytes: Buffer }> {
    if (bytes.length > SINGLE_PUT_BYTES) {
      throw new SluiceError(
        'RecordConflict',
        `${key} has ${bytes.length} bytes; a create-once object may have 64 MiB.`,
      );
    }
    moved('store', bytes.length);
    return this.#moves(
      'PutObject',
      key,
      () => bytes.length,
      async () => {
        try {
          await this.#single.putObject(this.bucket, key, bytes, bytes.length, { 'If-None-Match': '*' });
          return { created: true, bytes };
        } catch (error) {
          if (codeOf(error) !== 'PreconditionFailed') throw error;
          const standing = await this.get(key);
          return { created: false, bytes: standing };
        }
      },
    );
  }

  /** {@link createOnce} for JSON: what now stands under the key. */
  async createJson<T>(key: string, value: T): Promise<{ created: boolean; value: T }> {
    const outcome = await this.createOnce(key, Buffer.from(JSON.stringify(value)));
    return { created: outcome.created, value: JSON.parse(outcome.bytes.toString()) as T };
  }

  /** Writes or overwrites a small object whose name does not promise its content (reports of one attempt). */
  async put(key: string, bytes: Buffer): Promise<ObjectRef> {
    moved('store', bytes.length);
    await this.#moves(
      'PutObject',
      key,
      () => bytes.length,
      () => this.#single.putObject(this.bucket, key, bytes, bytes.length),
    );
    return { uri: this.uri(key), sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  }

  /**
   * Streams bytes of unknown length to a temporary key, then copies them on the server to the key that their hash names.
   * Memory is bounded by one part (16 MiB).
   */
  async upload(source: Readable | string, keyOf: (sha256: string) => string, signal?: AbortSignal): Promise<ObjectRef> {
    const { through: meter, seen } = hashing();
    const temporary = `tmp/${randomUUID()}`;
    const input = typeof source === 'string' ? createReadStream(source) : source;
    try {
      const reading = pipeline(input, meter, ...(signal ? [{ signal }] : []));
      const writing = this.#moves('PutObject', temporary, seen.bytes, async () => {
        try {
          await this.#streaming.putObject(this.bucket, temporary, meter);
        } catch (error) {
          // A stream without a byte has no part to upload, and the server refuses an upload of none.
          if (seen.bytes() > 0 || !meter.readableEnded) throw error;
          await this.#single.putObject(this.bucket, temporary, Buffer.alloc(0), 0);
        }
      });
      await Promise.all([
        reading.catch((error: unknown) => {
          meter.destroy(error instanceof Error ? error : new Error(String(error)));
          throw error;
        }),
        writing,
      ]);
      const sha256 = seen.sha256();
      const key = keyOf(sha256);
      await failPoint('store:before-rename');
      await this.#guard(key, () =>
        this.#single.copyObject(
          new CopySourceOptions({ Bucket: this.bucket, Object: temporary }),
          new CopyDestinationOptions({ Bucket: this.bucket, Object: key }),
        ),
      );
      return { uri: this.uri(key), sha256, bytes: seen.bytes() };
    } finally {
      await this.#single.removeObject(this.bucket, temporary).catch(() => {});
    }
  }

  /** Joins objects on the server, in order: each but the last must have 5 MiB at least. */
  async compose(from: readonly string[], key: string): Promise<void> {
    const sources = from.map((Object) => new CopySourceOptions({ Bucket: this.bucket, Object }));
    await this.#guard(key, () =>
      this.#single.composeObject(new CopyDestinationOptions({ Bucket: this.bucket, Object: key }), sources),
    );
  }

  /** The whole object. @throws SluiceError `ObjectCorrupt` where there is none. */
  async get(key: string): Promise<Buffer> {
    const found = await this.find(key);
    if (!found) throw new SluiceError('ObjectCorrupt', `${this.uri(key)} should exist and does not.`);
    return found;
  }

  async find(key: string): Promise<Buffer | undefined> {
    const read = (found: Buffer | undefined): number => found?.length ?? 0;
    return this.#moves('GetObject', key, read, async () => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of await this.#single.getObject(this.bucket, key)) chunks.push(chunk as Buffer);
        const bytes = Buffer.concat(chunks);
        moved('store', bytes.length);
        return bytes;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async findJson<T>(key: string): Promise<T | undefined> {
    const bytes = await this.find(key);
    return bytes && (JSON.parse(bytes.toString()) as T);
  }

  async exists(key: string): Promise<boolean> {
    return this.#guard(key, async () => {
      try {
        await this.#single.statObject(this.bucket, key);
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    });
  }

  async stream(key: string): Promise<Readable> {
    return meteredStream('store', await this.#open(key));
  }

  #open(key: string): Promise<Readable> {
    return this.#guard(key, () => this.#single.getObject(this.bucket, key));
  }

  /** The object of a reference, its hash checked. @throws SluiceError `ObjectCorrupt` */
  async fetch(ref: ObjectRef): Promise<Buffer> {
    const bytes = await this.get(this.keyOf(ref.uri));
    checkHash(ref, createHash('sha256').update(bytes).digest('hex'));
    return bytes;
  }

  /** Copies the object of a reference to a file, its hash checked. @throws SluiceError `ObjectCorrupt` */
  async download(ref: ObjectRef, path: string, signal?: AbortSignal): Promise<void> {
    const key = this.keyOf(ref.uri);
    const { through, seen } = hashing();
    await this.#moves('GetObject', key, seen.bytes, async () =>
      pipeline(await this.#open(key), through, createWriteStream(path), ...(signal ? [{ signal }] : [])),
    );
    checkHash(ref, seen.sha256());
  }

  /** Copies an object to a file. */
  async copyTo(key: string, path: string, signal?: AbortSignal): Promise<void> {
    const source = await this.#open(key);
    await this.#guard(key, () => pipeline(source, createWriteStream(path), ...(signal ? [{ signal }] : [])));
  }

  /** Keys below a prefix in code-unit order, all levels; none where there is no bucket yet. */
  async *list(prefix: string, startAfter = ''): AsyncGenerator<{ key: string; bytes: number; lastModified: Date }> {
    try {
      for await (const item of waitingForEach(
        'store',
        this.#single.listObjectsV2(this.bucket, prefix, true, startAfter),
      )) {
        const { name, size, lastModified } = item as { name?: string; size?: number; lastModified?: Date };
        if (name !== undefined) yield { key: name, bytes: size ?? 0, lastModified: lastModified ?? new Date(0) };
      }
    } catch (error) {
      if (codeOf(error) === 'NoSuchBucket') return;
      throw storeError(this.#endpoint, prefix, error);
    }
  }

  /** The last key below a prefix. */
  async lastKey(prefix: string): Promise<string | undefined> {
    let last: string | undefined;
    for await (const { key } of this.list(prefix)) last = key;
    return last;
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#guard(keys[0] ?? '', async () => {
      // It resolves with what could not be removed, in another form than its types say.
      const [refused] = (await this.#single.removeObjects(this.bucket, [...keys])) as {
        Code?: string;
        Message?: string;
      }[];
      if (refused) throw Object.assign(new Error(refused.Message ?? ''), { code: refused.Code ?? '' });
    });
  }

  /** Removes every object below a prefix. */
  async removeBelow(prefix: string): Promise<void> {
    const found: string[] = [];
    for await (const { key } of this.list(prefix)) found.push(key);
    await this.remove(found);
  }

  /** {@link #guard}, for what moves bytes: each such request is told of. @param bytes asked once it is over */
  #moves<T>(operation: string, key: string, bytes: (result: T) => number, work: () => Promise<T>): Promise<T> {
    const about = { 'aws.s3.bucket': this.bucket, 'aws.s3.key': key, 'server.address': this.#endpoint };
    return tracedRequest('store', operation, about, async (span) => {
      const result = await this.#guard(key, work);
      span?.set({ 'sluice.bytes': bytes(result) });
      return result;
    });
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await waitingOn('store', work);
    } catch (error) {
      throw storeError(this.#endpoint, what, error);
    }
  }
}
