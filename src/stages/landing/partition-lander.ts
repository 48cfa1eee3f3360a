import { failPoint } from '../../connectors/fail-point.ts';
import { truncated, type BatchControl, type ReadRecord } from '../../connectors/log.ts';
import type { Store } from '../../connectors/object-store.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { DataObject } from '../../definition/refs.ts';
import { sha256Hex } from '../hashing.ts';
import type { ConsumeInput } from '../io.ts';
import { readHeaders, type SluiceRecord } from '../record.ts';
import { isLanded, storePart } from './batch-record.ts';
import { ManifestChain } from './chain.ts';
import { Chunk } from './chunk.ts';
import type { EndedBatch, Manifest } from './manifest.ts';
import type { SchemaRegistry } from './schema.ts';

/** What a lander has done since it began; summed up for the consumer's status. */
export interface LanderCounts {
  rows: number;
  resent: number;
  foreign: number;
  manifests: number;
}

/** What follows from a commit. */
export interface LanderHooks {
  /** A batch has ended in the partition, and its part is stored. */
  ended(batch: string, ended: EndedBatch): Promise<void>;
  /** A manifest has been committed. */
  committed(): void;
}

/** Lands one partition: takes its records in order, fills the chunk, commits it to the chain. */
export class PartitionLander {
  readonly partition: number;
  readonly counts: LanderCounts = { rows: 0, resent: 0, foreign: 0, manifests: 0 };
  readonly #store: Store;
  readonly #input: ConsumeInput;
  readonly #schemas: SchemaRegistry;
  readonly #chain: ManifestChain;
  readonly #landed = new Map<string, boolean>();
  readonly #hooks: LanderHooks;
  #chunk: Chunk;
  /** The record before the position is still to be compared with what the head says of it. */
  #unproven = true;

  constructor(store: Store, input: ConsumeInput, schemas: SchemaRegistry, partition: number, hooks: LanderHooks) {
    this.#store = store;
    this.#input = input;
    this.#schemas = schemas;
    this.partition = partition;
    this.#hooks = hooks;
    this.#chain = new ManifestChain(store, input.stream, input.epoch, partition);
    this.#chunk = this.#newChunk();
  }

  /** The offset after everything landed. */
  get position(): bigint {
    return this.#chain.position;
  }

  get openBatches(): number {
    return this.#chunk.openBatches;
  }

  /** Begins anew at the head of the chain, and finishes what a killed predecessor may have left undone behind it. */
  async load(): Promise<void> {
    await this.#chain.load();
    this.#chunk = this.#newChunk();
    this.#unproven = true;
    await this.#finish(this.#chain.head);
  }

  /** The offset of the record that is wanted next. */
  get next(): bigint {
    return this.#chunk.next;
  }

  /**
   * Compares the position with what the broker holds.
   * @throws SluiceError `LogTruncated` where the log begins after the position, `TopicRecreated` where it ends before it
   */
  check(low: bigint, high: bigint): void {
    const { topic } = this.#input;
    const position = this.position;
    if (position < low) throw truncated(topic, this.partition, position, low);
    if (position > high)
      throw this.#recreated(`it ends at offset ${high}, but ${position} records of it have been landed`);
  }

  /** Where to read from: one record before the position where it is still there, so that it can be compared with the head. */
  startAt(low: bigint, high: bigint): bigint {
    this.check(low, high);
    this.#unproven = this.position > low;
    return this.#unproven ? this.position - 1n : this.position;
  }

  /** Takes the records of one fetch. */
  async take(records: readonly ReadRecord[], control: BatchControl, signal: AbortSignal): Promise<void> {
    await failPoint('land:after-fetch');
    for (const record of records) {
      if (signal.aborted) return;
      if (this.#unproven && record.offset === this.position - 1n) this.#prove(record);
      // Before a seek takes effect records from elsewhere may arrive; the seek brings the right ones.
      if (this.#unproven || record.offset !== this.#chunk.next) continue;
      await this.#accept(record);
      if (!this.#chunk.full) continue;
      await control.alive();
      signal.throwIfAborted();
      const outcome = await this.#commit();
      await control.show(this.position);
      await failPoint('land:after-offset');
      if (outcome === 'lost') {
        control.seek(this.position);
        return;
      }
    }
  }

  async #accept(record: ReadRecord): Promise<void> {
    const head = readHeaders(record, this.#input.epoch);
    const schema = head && (await this.#schemas.get(head.schema));
    const landed = head !== undefined && !this.#chunk.knows(head.batch) && (await this.#landedBefore(head));
    const accepted = this.#chunk.accept(record, head, schema, landed);
    if (accepted === 'row') this.counts.rows += 1;
    if (accepted === 'resent') this.counts.resent += 1;
    if (accepted === 'foreign') this.counts.foreign += 1;
  }

  async #landedBefore({ batch }: SluiceRecord): Promise<boolean> {
    const known = this.#landed.get(batch);
    if (known !== undefined) return known;
    const landed = await isLanded(this.#store, this.#input.stream, batch, this.#input.epoch, this.partition);
    if (this.#landed.size > 10_000) this.#landed.clear();
    this.#landed.set(batch, landed);
    return landed;
  }

  /** Data objects first, then the manifest that names them, then what follows from it. */
  async #commit(): Promise<'ours' | 'lost'> {
    const objects: (DataObject & { batch: string })[] = [];
    for (const [, group] of [...this.#chunk.groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const schema = await this.#schemas.get(group.schema);
      const bytes = await schema.encode(group.rows);
      const sha256 = sha256Hex(bytes);
      const { batch, date, type, checksum } = group;
      const file = keys.dataFile(batch, this.#input.epoch, this.partition, this.#chunk.first, sha256, schema.format);
      const key = keys.dataPrefix(this.#input.stream, date, type) + file;
      await this.#store.createOnce(key, bytes);
      await failPoint('land:after-object');
      objects.push({ key, sha256, bytes: bytes.length, rows: group.rows.length, checksum, date, type, batch });
    }
    await failPoint('land:before-manifest');
    const outcome = await this.#chain.append(this.#chunk.manifest(objects));
    await failPoint('land:after-manifest');
    this.#chunk = this.#newChunk();
    this.#landed.clear();
    this.counts.manifests += 1;
    await this.#finish(this.#chain.head);
    this.#hooks.committed();
    return outcome;
  }

  async #finish(head: Manifest | undefined): Promise<void> {
    for (const [batch, ended] of Object.entries(head?.ended ?? {})) {
      await storePart(this.#store, this.#input.stream, this.#chain, batch, ended);
      await failPoint('land:after-part');
      await this.#hooks.ended(batch, ended);
    }
  }

  #prove(record: ReadRecord): void {
    const said = this.#chain.head?.lastRecord;
    const { batch, seq } = record.headers;
    const same =
      said !== undefined &&
      said.timestamp === record.timestamp &&
      said.batch === (batch ?? null) &&
      said.seq === (seq ?? null);
    if (!same) throw this.#recreated(`the record at offset ${record.offset} is not the one that was landed from there`);
    this.#unproven = false;
  }

  #recreated(found: string): SluiceError {
    const { topic, stream } = this.#input;
    return new SluiceError(
      'TopicRecreated',
      `Topic ${topic}, partition ${this.partition} is not the log that ${stream} was landed from: ${found}. ` +
        'Delete the topic, so that the next run makes a new one with an epoch of its own.',
      { facts: { topic, partition: this.partition, position: String(this.position) } },
    );
  }

  #newChunk(): Chunk {
    const { topic, epoch, maxRecords, maxBytes, abandonAfterMs } = this.#input;
    const rules = { topic, epoch, partition: this.partition, maxRecords, maxBytes, abandonAfterMs };
    return new Chunk(this.#chain.head, rules);
  }
}
