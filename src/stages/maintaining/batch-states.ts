import type { Store } from '../../connectors/object-store.ts';
import { keys } from '../../definition/names.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { BatchRecord } from '../../definition/refs.ts';
import type { BatchPart } from '../landing/batch-record.ts';
import type { Manifest } from '../landing/manifest.ts';
import { keysOf, type BatchState, type ChainState } from './reachable.ts';

/** So many keys of objects are held at once: some 40 MB. */
const HELD_KEYS = 200_000;

/** Nothing has been committed there. */
export const noChain: ChainState = { position: 0n, begun: new Map() };

/** What gc asks about one stream: its batches and chains, each read once while there is room. */
export class BatchStates {
  readonly #store: Pick<Store, 'list' | 'findJson'>;
  readonly #stream: string;
  readonly #removed: ReadonlySet<LogicalHour>;
  /** Records superseded before this moment are of no more use to a reader. */
  readonly #graceBegan: number;
  readonly #states = new Map<string, BatchState>();
  readonly #chains = new Map<string, ChainState>();
  #held = 0;

  /**
   * @param removed hours that retention removed more than the grace ago
   * @param graceBegan milliseconds since 1970, by the store's clock
   */
  constructor(
    store: Pick<Store, 'list' | 'findJson'>,
    stream: string,
    removed: ReadonlySet<LogicalHour>,
    graceBegan: number,
  ) {
    this.#store = store;
    this.#stream = stream;
    this.#removed = removed;
    this.#graceBegan = graceBegan;
  }

  /**
   * Reads the heads of all chains. Before any batch is looked at: what is neither open nor ended at a head was over before, and then
   * its part was stored before that head, so whoever looks for it afterwards finds it.
   */
  async loadChains(): Promise<void> {
    const prefix = keys.chains(this.#stream);
    const heads = new Map<string, string>();
    for await (const { key } of this.#store.list(prefix)) heads.set(key.slice(0, key.lastIndexOf('/')), key);
    for (const [chain, key] of heads) {
      const head = await this.#store.findJson<Manifest>(key);
      if (!head) continue;
      const begun = new Map<string, bigint>();
      for (const [batch, { firstChunk }] of [...Object.entries(head.open), ...Object.entries(head.ended)]) {
        const first = BigInt(firstChunk);
        const before = begun.get(batch);
        if (before === undefined || first < before) begun.set(batch, first);
      }
      this.#chains.set(chain, { position: BigInt(head.last) + 1n, begun });
    }
  }

  chain(epoch: string, partition: number): ChainState {
    return this.#chains.get(keys.chain(this.#stream, epoch, partition).slice(0, -1)) ?? noChain;
  }

  async batch(batch: string): Promise<BatchState> {
    const known = this.#states.get(batch);
    if (known) return known;
    const state = await this.#read(batch);
    const size = 'named' in state ? state.named.size : 1;
    if (this.#held + size > HELD_KEYS) {
      this.#states.clear();
      this.#held = 0;
    }
    this.#held += size;
    this.#states.set(batch, state);
    return state;
  }

  async #read(batch: string): Promise<BatchState> {
    const versions: { key: string; writtenAt: number }[] = [];
    for await (const { key, lastModified } of this.#store.list(keys.batches(this.#stream, batch))) {
      versions.push({ key, writtenAt: lastModified.getTime() });
    }
    const named = new Set<string>();
    let version = 0;
    for (const [at, { key }] of versions.entries()) {
      const superseded = versions[at + 1]?.writtenAt;
      if (superseded !== undefined && superseded < this.#graceBegan) continue;
      const record = await this.#store.findJson<BatchRecord>(key);
      if (!record) continue;
      if (this.#removed.has(record.hour)) return { kind: 'removed' };
      version = record.version;
      for (const object of keysOf(record.objects)) named.add(object);
    }
    return version === 0 ? this.#landing(batch) : { kind: 'committed', version, named };
  }

  async #landing(batch: string): Promise<BatchState> {
    const named = new Set<string>();
    for await (const { key } of this.#store.list(keys.partsAll(this.#stream, batch))) {
      const part = await this.#store.findJson<BatchPart>(key);
      if (!part) continue;
      if (this.#removed.has(part.ended.hour)) return { kind: 'removed' };
      for (const object of keysOf(part.objects)) named.add(object);
    }
    return { kind: 'landing', named };
  }
}
