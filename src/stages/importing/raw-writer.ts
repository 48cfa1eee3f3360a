import { createHash, type Hash } from 'node:crypto';
import type { Store } from '../../connectors/object-store.ts';
import { keys } from '../../definition/names.ts';
import type { ObjectRef } from '../../definition/refs.ts';

/** A download goes into objects of this size, so that an attempt goes on where the last one stopped. */
export const PART_BYTES = 16 * 1024 * 1024;

/** How far a file's parts are: what the next attempt needs to go on. */
export interface PartState {
  readonly parts: number;
  readonly bytes: number;
}

/**
 * Takes the bytes of one file as they come and makes the raw object of them, named by their hash. What is larger than one
 * part is stored part by part, and joined on the server.
 *
 * Memory: one part. The source waits while it is stored.
 */
export class RawWriter {
  readonly #store: Store;
  readonly #pipeline: string;
  readonly #prefix: string;
  readonly #stored: (state: PartState) => void;
  #hash: Hash = createHash('sha256');
  #parts = 0;
  #bytes = 0;
  /** Bytes that are in parts. */
  #sent = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** @param prefix Of the parts. @param stored Told after each part that is safe. */
  constructor(store: Store, pipeline: string, prefix: string, stored: (state: PartState) => void) {
    this.#store = store;
    this.#pipeline = pipeline;
    this.#prefix = prefix;
    this.#stored = stored;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes up what an earlier attempt has stored. @returns false where it is not all there: nothing was taken then */
  async resume({ parts, bytes }: PartState, signal: AbortSignal): Promise<boolean> {
    const hash = createHash('sha256');
    let found = 0;
    try {
      for (let part = 0; part < parts; part++) {
        for await (const chunk of (await this.#store.stream(this.#key(part))) as AsyncIterable<Buffer>) {
          signal.throwIfAborted();
          hash.update(chunk);
          found += chunk.length;
        }
      }
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    }
    if (found !== bytes) return false;
    this.#hash = hash;
    this.#parts = parts;
    this.#bytes = bytes;
    this.#sent = bytes;
    return true;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#buffer.length < PART_BYTES && this.#filled + chunk.length - at > this.#buffer.length)
        this.#grow(chunk.length - at);
      const copied = chunk.copy(this.#buffer, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === PART_BYTES) await this.#send();
    }
  }

  /** Makes the raw object. @throws SluiceError `StoreUnavailable` */
  async finish(): Promise<ObjectRef> {
    const sha256 = this.#hash.digest('hex');
    const key = keys.raw(this.#pipeline, sha256);
    const ref = { uri: this.#store.uri(key), sha256, bytes: this.#bytes };
    if (this.#parts === 0) {
      await this.#store.put(key, this.#buffer.subarray(0, this.#filled));
      return ref;
    }
    if (this.#filled > 0) await this.#send();
    if (await this.#store.exists(key)) return ref;
    await this.#store.compose(
      Array.from({ length: this.#parts }, (_, part) => this.#key(part)),
      key,
    );
    return ref;
  }

  async #send(): Promise<void> {
    await this.#store.put(this.#key(this.#parts), this.#buffer.subarray(0, this.#filled));
    this.#sent += this.#filled;
    this.#filled = 0;
    this.#parts++;
    this.#stored({ parts: this.#parts, bytes: this.#sent });
  }

  /** Small files need small buffers. */
  #grow(more: number): void {
    const wanted = Math.max(this.#filled + more, this.#buffer.length * 2, 65_536);
    const wider = Buffer.allocUnsafe(Math.min(PART_BYTES, wanted));
    this.#buffer.copy(wider, 0, 0, this.#filled);
    this.#buffer = wider;
  }

  #key(part: number): string {
    return `${this.#prefix}p${String(part).padStart(6, '0')}`;
  }
}
