import { Client } from 'minio';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

/** An object that may be a source. */
export interface BucketObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly lastModified: Date;
}

/** Buckets of the object store as sources: read only. */
export class SourceBucket {
  readonly #client: Client;

  constructor(settings: Settings['store']) {
    const url = new URL(settings.endpoint);
    this.#client = new Client({
      endPoint: url.hostname,
      port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
      useSSL: url.protocol === 'https:',
      accessKey: settings.accessKey,
      secretKey: settings.secretKey,
      region: 'us-east-1',
    });
  }

  /** @throws SluiceError `SourceNotFound`, `SourceForbidden`, `StoreUnavailable` */
  async stat(bucket: string, key: string): Promise<BucketObject> {
    return this.#guard(bucket, key, async () => {
      const { size, etag, lastModified } = await this.#client.statObject(bucket, key);
      return { key, bytes: size, etag, lastModified };
    });
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<string> {
    try {
      for await (const item of this.#client.listObjectsV2(bucket, prefix, true)) {
        const { name } = item as { name?: string };
        if (name !== undefined) yield name;
      }
    } catch (error) {
      throw failure(bucket, prefix, error);
    }
  }

  /** The object's bytes from an offset on. */
  async read(bucket: string, { key, bytes }: BucketObject, from: number): Promise<AsyncIterable<Buffer>> {
    if (from >= bytes) return (async function* () {})();
    return this.#guard(bucket, key, () => this.#client.getPartialObject(bucket, key, from));
  }

  async #guard<T>(bucket: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw failure(bucket, key, error);
    }
  }
}

function failure(bucket: string, key: string, error: unknown): SluiceError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const where = `s3://${bucket}/${key}`;
  if (code === 'NoSuchKey' || code === 'NotFound' || code === 'NoSuchBucket') {
    return new SluiceError('SourceNotFound', `${where} is not there; correct source.url.`, { cause: error });
  }
  if (code === 'AccessDenied') {
    return new SluiceError('SourceForbidden', `${where} may not be read with the worker's keys.`, { cause: error });
  }
  return new SluiceError('StoreUnavailable', `${where} cannot be read: ${code || sentenceOf(error)}.`, {
    cause: error,
  });
}
