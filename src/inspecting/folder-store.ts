import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ObjectRef } from '../definition/refs.ts';
import type { PartStore } from '../stages/importing/parse-raw.ts';

/** A folder in place of the object store, for one table at a time. A reference's `uri` is the path of its file. */
export class FolderStore implements PartStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  keyOf(uri: string): string {
    return uri;
  }

  async stream(path: string): Promise<Readable> {
    return createReadStream(path);
  }

  async download(ref: ObjectRef, path: string): Promise<void> {
    await copyFile(ref.uri, path);
  }

  async put(key: string, bytes: Buffer): Promise<ObjectRef> {
    const uri = join(this.#folder, basename(key));
    await writeFile(uri, bytes);
    return { uri, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  }

  async upload(source: string | Readable, keyOf: (sha256: string) => string): Promise<ObjectRef> {
    if (typeof source !== 'string') throw new TypeError('a folder takes files alone');
    const ref = await fileRef(source);
    const uri = join(this.#folder, basename(keyOf(ref.sha256)));
    await rename(source, uri);
    return { ...ref, uri };
  }
}

/** A reference to a file on this machine. */
export async function fileRef(path: string): Promise<ObjectRef> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { uri: path, sha256: hash.digest('hex'), bytes };
}
