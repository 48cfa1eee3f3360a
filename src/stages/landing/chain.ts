import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { Store } from '../../connectors/object-store.ts';
import type { Manifest } from './manifest.ts';

/** The manifest chain of one partition: what has been landed, and so where to go on. */
export class ManifestChain {
  readonly #store: Store;
  readonly #key: (first: bigint) => string;
  readonly #prefix: string;
  #head: Manifest | undefined;

  constructor(store: Store, stream: string, epoch: string, partition: number) {
    this.#store = store;
    this.#prefix = keys.chain(stream, epoch, partition);
    this.#key = (first) => keys.manifest(stream, epoch, partition, first);
  }

  get head(): Manifest | undefined {
    return this.#head;
  }

  /** The offset after everything landed. */
  get position(): bigint {
    return this.#head ? BigInt(this.#head.last) + 1n : 0n;
  }

  /** Reads the head from the store. Each manifest begins where its predecessor ends, so the largest key is the head. */
  async load(): Promise<void> {
    const last = await this.#store.lastKey(this.#prefix);
    this.#head = last === undefined ? undefined : await this.#store.findJson<Manifest>(last);
  }

  /**
   * Commits a manifest at the chain's end.
   * @returns `ours` when it, or an equal one, now stands there; `lost` when another writer's does, which is the head now.
   * @throws SluiceError `RecordConflict` where the manifest does not begin at the end of the head that was read
   */
  async append(manifest: Manifest): Promise<'ours' | 'lost'> {
    if (BigInt(manifest.first) !== this.position) {
      throw new SluiceError(
        'RecordConflict',
        `A manifest at offset ${manifest.first} does not continue the chain ${this.#prefix}, which ends before ${this.position}.`,
      );
    }
    const body = Buffer.from(JSON.stringify(manifest));
    const { created, bytes } = await this.#store.createOnce(this.#key(BigInt(manifest.first)), body);
    this.#head = created ? manifest : (JSON.parse(bytes.toString()) as Manifest);
    return created || bytes.equals(body) ? 'ours' : 'lost';
  }

  /** The manifests from the one that begins at `first` up to the head, oldest first. */
  async since(first: string): Promise<Manifest[]> {
    const found: Manifest[] = [];
    for (let at = this.#head; at;) {
      found.unshift(at);
      if (at.first === first || at.previous === null) break;
      const key = this.#key(BigInt(at.previous));
      const before = await this.#store.findJson<Manifest>(key);
      if (!before) throw new SluiceError('ObjectCorrupt', `The manifest ${key} is gone from the chain that names it.`);
      at = before;
    }
    return found;
  }
}
