import { posix } from 'node:path';
import { SourceBucket, type BucketObject } from '../../connectors/source-bucket.ts';
import type { Settings } from '../../connectors/settings.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { SourceBytes, SourceRequest } from './source-bytes.ts';

/**
 * Opens an object of the worker's object store, below one of the settings' roots.
 * @throws SluiceError `SourceAddressRefused`, `SourceNotFound`, `SourceForbidden`, `SourceTooLarge`, `StoreUnavailable`
 */
export async function openS3({ url, source, settings, resume, known }: SourceRequest): Promise<SourceBytes> {
  const { bucket, key } = placeOf(url);
  const shown = `s3://${bucket}/${key}`;
  requireRoot(shown, settings);
  const store = new SourceBucket(settings.store);
  const found = await store.stat(bucket, key);
  const { limits } = source;
  if (found.bytes > limits.bytes) {
    throw new SluiceError(
      'SourceTooLarge',
      `${shown} has ${found.bytes} bytes, and source.limits.bytes is ${limits.bytes}.`,
    );
  }
  const said = { url, etag: found.etag, lastModified: found.lastModified.toUTCString(), validator: found.etag };
  if (known?.etag === found.etag) return { ...said, holds: 'unchanged', bytes: (async function* () {})() };
  const from = resume?.validator === found.etag ? resume.bytes : 0;
  return { ...said, holds: from > 0 ? 'rest' : 'all', bytes: read(store, bucket, found, from, shown) };
}

async function* read(
  store: SourceBucket,
  bucket: string,
  object: BucketObject,
  from: number,
  shown: string,
): AsyncGenerator<Buffer> {
  let bytes = from;
  try {
    for await (const chunk of await store.read(bucket, object, from)) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('SourceCut', `${shown} was cut at byte ${bytes} of ${object.bytes}.`, { cause: error });
  }
  const after = await store.stat(bucket, object.key);
  if (after.etag === object.etag && bytes === object.bytes) return;
  throw new SluiceError('SourceCut', `${shown} was changed while it was read; it is fetched again.`);
}

/** The objects that a pattern matches, by name. */
export async function matchingObjects(url: URL, settings: Settings): Promise<URL[]> {
  const { bucket, key: pattern } = placeOf(url);
  const prefix = pattern.slice(0, pattern.search(/[*?[{]/));
  requireRoot(`s3://${bucket}/${prefix}`, settings);
  const found: string[] = [];
  for await (const key of new SourceBucket(settings.store).list(bucket, prefix)) {
    if (posix.matchesGlob(key, pattern)) found.push(key);
  }
  return found.toSorted().map((key) => new URL(`s3://${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`));
}

function placeOf(url: URL): { bucket: string; key: string } {
  return { bucket: url.host, key: decodeURIComponent(url.pathname.slice(1)) };
}

/** A key is a text and no path, so `..` in it leads nowhere: only the beginning counts. */
function requireRoot(shown: string, { s3Roots }: Settings): void {
  if (s3Roots.some((root) => shown.startsWith(root.endsWith('/') ? root : `${root}/`))) return;
  throw new SluiceError('SourceAddressRefused', `${shown} is below none of the places that SLUICE_S3_ROOTS lists.`);
}
