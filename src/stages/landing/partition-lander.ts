import { failPoint } from '../../connectors/fail-point.ts';
import { truncated, type BatchControl, type ReadRecord } from '../../connectors/log.ts';
import type { Store } from '../../connectors/object-store.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { ConsumeInput } from '../io.ts';
import { foreignExplanation, readHeaders, type SluiceRecord } from '../record.ts';
import { isLanded, storePart } from './batch-record.ts';
import { ManifestChain } from './chain.ts';
import { Chunk } from './chunk.ts';
import { ChunkTrace } from './chunk-trace.ts';
import { writeChunk } from './chunk-writer.ts';
import type { DeadLetter } from './dead-letters.ts';
import { foreignRow, type ForeignRow } from './foreign-row.ts';
import { recordLoss } from './losses.ts';
import type { EndedBatch, Manifest } from './manifest.ts';
import type { SchemaRegistry } from './schema.ts';

const FOREIGN_FLUSH_MS = 60_000;

/** What a lander has done since it began; summed up for the consumer's status. */
export interface LanderCounts {
  rows: number;
  resent: number;
  foreign: number;
  deadLetters: number;
  lost: number;
  manifests: number;
}

/** What a lander has committed by one manifest. */
export interface CommittedChunk {
  readonly rows: number;
  /** Of its objects, those of other producers' rows included. */
  readonly bytes: number;
  readonly resent: number;
  readonly foreign: number;
  readonly deadLetters: number;
  readonly lost: number;
}

/** What follows from what a lander does. */
export interface LanderHooks {
  /** A batch has ended in the partition, and its part is stored. */
  ended(batch: string, ended: EndedBatch): Promise<void>;
  /** A manifest has been committed: this one, or the one of another writer who was faster. */
  committed(ours?: CommittedChunk): void;
  /** Keeps records that cannot be landed; only then is the range that they stand in committed. */
  deadLetters(letters: readonly DeadLetter[]): Promise<void>;
  /** Whether all landers together hold more than they should, and one with `own` value bytes is to commit what it has. */
  crowded?(own: number): boolean;
}

/** Lands one partition: takes its records in order, fills the chunk, commits it to the chain. One call at a time. */
export class PartitionLander {
  readonly partition: number;
  readonly counts: LanderCounts = { rows: 0, resent: 0, foreign: 0, deadLetters: 0, lost: 0, manifests: 0 };
  readonly #store: Store;
  readonly #input: ConsumeInput;
  readonly #schemas: SchemaRegistry;
  readonly #chain: ManifestChain;
  readonly #landed = new Map<string, boolean>();
  readonly #hooks: LanderHooks;
  #chunk: Chunk;
  #letters: DeadLetter[] = [];
  readonly #trace: ChunkTrace;
  /** When the first record of another producer came into the chunk. */
  #foreignSince: number | undefined;
  /** The record before the position is still to be compared with what the head says of it. */
  #unproven = true;

  constructor(store: Store, input: ConsumeInput, schemas: SchemaRegistry, partition: number, hooks: LanderHooks) {
    this.#store = store;
    this.#input = input;
    this.#schemas = schemas;
    this.partition = partition;
    this.#hooks = hooks;
    this.#chain = new ManifestChain(store, input.stream, input.epoch, partition);
    this.#trace = new ChunkTrace(input, partition);
    this.#chunk = this.#newChunk();
  }

  /** The offset after everything landed. */
  get position(): bigint {
    return this.#chain.position;
  }

  get openBatches(): number {
    return this.#chunk.openBatches;
  }

  /** Value bytes in memory. */
  get bytes(): number {
    return this.#chunk.bytes;
  }

  /** Begins anew at the head of the chain, and finishes what a killed predecessor may have left undone behind it. */
  async load(): Promise<void> {
    await this.#chain.load();
    this.#begin();
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
    this.#unproven = this.position > low && this.#chain.head?.kind === 'data';
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
      const outcome = await this.#takeOne(record, control, signal);
      if (outcome !== 'lost') continue;
      control.seek(this.position);
      return;
    }
  }

  /**
   * Commits a chunk that has held records of other producers for `foreignFlushMs`: they end no chunk by themselves.
   * @param now milliseconds since 1970
   * @returns where to read on, if that has changed
   */
  async flushForeign(now: number): Promise<bigint | undefined> {
    const since = this.#foreignSince;
    if (since === undefined || now - since < (this.#input.foreignFlushMs ?? FOREIGN_FLUSH_MS)) return undefined;
    return (await this.#commit()) === 'lost' ? this.position : undefined;
  }

  async #takeOne(record: ReadRecord, control: BatchControl, signal: AbortSignal): Promise<'ours' | 'lost' | undefined> {
    try {
      await this.#accept(record);
    } catch (error) {
      // What came before is sound. With it landed, the position says exactly where a person would have to give something up.
      const halts = error instanceof SluiceError && error.code === 'RowsMissing';
      if (!halts || this.#chunk.empty || (await this.#commit()) === 'ours') throw error;
      return 'lost';
    }
    if (!this.#chunk.full && this.#hooks.crowded?.(this.bytes) !== true) return undefined;
    await control.alive();
    signal.throwIfAborted();
    const outcome = await this.#commit();
    await control.show(this.position);
    await failPoint('land:after-offset');
    return outcome;
  }

  async #accept(record: ReadRecord): Promise<void> {
    this.#trace.note(record);
    const named = readHeaders(record, this.#input.epoch);
    const schema = named && (await this.#schemas.find(named.schema));
    const head = schema && named;
    const landed = head !== undefined && !this.#chunk.knows(head.batch) && (await this.#landedBefore(head));
    const foreign = head === undefined ? await this.#foreignRow(record) : undefined;
    const accepted = this.#chunk.accept(record, head, schema, landed, foreign);
    if (accepted === 'row') this.counts.rows += 1;
    if (accepted === 'resent') this.counts.resent += 1;
    if (accepted === 'lost') this.counts.lost += 1;
    if (accepted !== 'foreign') return;
    this.counts.foreign += 1;
    this.#foreignSince ??= Date.now();
    if (head) this.#letters.push({ record, reason: 'unreadable', explanation: 'The value is no row of its schema.' });
  }

  /** How to land a record that is none of ours; where that is not to be, it becomes a dead letter. */
  async #foreignRow(record: ReadRecord): Promise<ForeignRow | undefined> {
    const { epoch, foreignSchema } = this.#input;
    const { reason, explanation } = foreignExplanation(record, epoch);
    if (reason === 'foreign' && foreignSchema !== undefined) {
      const row = foreignRow(record, epoch, await this.#schemas.get(foreignSchema));
      if (typeof row !== 'string') return row;
      this.#letters.push({ record, reason: 'unreadable', explanation: row });
      return undefined;
    }
    this.#letters.push({ record, reason, explanation });
    return undefined;
  }

  async #landedBefore({ batch }: SluiceRecord): Promise<boolean> {
    const known = this.#landed.get(batch);
    if (known !== undefined) return known;
    const landed = await isLanded(this.#store, this.#input.stream, batch, this.#input.epoch, this.partition);
    if (this.#landed.size > 10_000) this.#landed.clear();
    this.#landed.set(batch, landed);
    return landed;
  }

  /** Data objects and dead letters first, then the manifest, then what follows from it. */
  #commit(): Promise<'ours' | 'lost'> {
    return this.#trace.committing((tell) => this.#committed(tell));
  }

  async #committed(tell: (chunk: CommittedChunk) => void): Promise<'ours' | 'lost'> {
    const of = { stream: this.#input.stream, epoch: this.#input.epoch, partition: this.partition };
    const { objects, foreignObjects } = await writeChunk(this.#store, of, this.#schemas, this.#chunk);
    if (this.#letters.length > 0) await this.#hooks.deadLetters(this.#letters);
    const deadLetters = this.#letters.length;
    this.counts.deadLetters += deadLetters;
    await failPoint('land:before-manifest');
    const manifest = this.#chunk.manifest(objects, foreignObjects);
    const outcome = await this.#chain.append(manifest);
    await failPoint('land:after-manifest');
    this.#begin();
    this.#landed.clear();
    this.counts.manifests += 1;
    await this.#finish(this.#chain.head);
    const committed = committedChunk(manifest, deadLetters);
    if (outcome === 'ours') tell(committed);
    this.#hooks.committed(outcome === 'ours' ? committed : undefined);
    return outcome;
  }

  async #finish(head: Manifest | undefined): Promise<void> {
    if (head?.kind === 'loss' && head.loss) await recordLoss(this.#store, this.#input.stream, head, head.loss);
    for (const [batch, ended] of Object.entries(head?.ended ?? {})) {
      await storePart(this.#store, this.#input.stream, this.#chain, batch, ended);
      await failPoint('land:after-part');
      await this.#hooks.ended(batch, ended);
    }
  }

  #prove(record: ReadRecord): void {
    const said = this.#chain.head?.lastRecord;
    const { batch, seq } = record.headers;
    const same = said?.timestamp === record.timestamp && said.batch === (batch ?? null) && said.seq === (seq ?? null);
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

  /** Begins the chunk behind the head. */
  #begin(): void {
    this.#chunk = this.#newChunk();
    this.#letters = [];
    this.#foreignSince = undefined;
  }

  #newChunk(): Chunk {
    const { topic, epoch, maxRecords, maxBytes, abandonAfterMs } = this.#input;
    const rules = { topic, epoch, partition: this.partition, maxRecords, maxBytes, abandonAfterMs };
    return new Chunk(this.#chain.head, rules);
  }
}

function committedChunk(manifest: Manifest, deadLetters: number): CommittedChunk {
  const { objects, foreignObjects = [], resent, foreign, lost = 0 } = manifest;
  const bytes = [...objects, ...foreignObjects].reduce((total, object) => total + object.bytes, 0);
  const rows = objects.reduce((total, object) => total + object.rows, 0);
  return { rows, bytes, resent, foreign, deadLetters, lost };
}
