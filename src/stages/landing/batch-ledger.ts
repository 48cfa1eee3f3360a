import type { ReadRecord } from '../../connectors/log.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum } from '../../definition/refs.ts';
import { addChecksums, emptyChecksum, sameChecksum } from '../identity.ts';
import type { SluiceRecord } from '../record.ts';
import type { EndedBatch, Loss, Manifest, OpenBatch } from './manifest.ts';

/**
 * What a record is to its batch: the row that is due; its end; one that was there before; or one of a batch that has lost rows to a
 * range which a person gave up.
 */
export type Judged = 'next' | 'marker' | 'resent' | 'lost';

export interface LedgerRules {
  readonly topic: string;
  readonly partition: number;
  readonly abandonAfterMs: number;
}

/**
 * The batches of one partition: which are open and which row each must go on with. The sequence check lives here. Pure: its state is a
 * function of the head of the chain and of the records judged.
 */
export class BatchLedger {
  readonly #rules: LedgerRules;
  readonly #firstOfChunk: string;
  readonly #open: Map<string, OpenBatch>;
  readonly #ended = new Map<string, EndedBatch>();
  readonly #loss: Loss | undefined;
  /** The latest time of a record of ours: what other producers write there must not make a batch look old. */
  #latest: number | undefined;

  constructor(head: Manifest | undefined, firstOfChunk: bigint, rules: LedgerRules) {
    this.#rules = rules;
    this.#firstOfChunk = String(firstOfChunk);
    this.#open = new Map(Object.entries(head?.open ?? {}));
    this.#loss = head?.loss;
  }

  get openBatches(): number {
    return this.#open.size;
  }

  knows(batch: string): boolean {
    return this.#open.has(batch) || this.#ended.has(batch);
  }

  open(batch: string): OpenBatch | undefined {
    return this.#open.get(batch);
  }

  /**
   * Judges a record of a batch; one that is the `next` row is then to be {@link took}.
   * @param landed the batch's rows of this partition have been landed before this chunk
   * @throws SluiceError `RowsMissing` where rows before this one never came
   */
  judge(record: ReadRecord, head: SluiceRecord, landed: boolean): Judged {
    const { batch, seq, marker } = head;
    this.#latest = Math.max(this.#latest ?? record.timestamp, record.timestamp);
    if (landed || this.#ended.has(batch)) return 'resent';
    let open = this.#open.get(batch);
    if ((open === undefined || open.damaged) && seq === 0) {
      open = this.#begun(record, head);
      this.#open.set(batch, open);
    }
    if (open === undefined || seq > open.expected || open.damaged) {
      if (!open?.damaged && !this.#mayBeDamaged(record, open)) throw this.#missing(record, head, open?.expected ?? 0);
      this.#open.set(batch, { ...(open ?? this.#begun(record, head)), lastSeen: record.timestamp, damaged: true });
      return 'lost';
    }
    if (seq < open.expected) {
      // Somebody is at it again: without this, a batch that is sent anew after a long silence would be closed in the middle of that.
      this.#open.set(batch, { ...open, lastSeen: Math.max(open.lastSeen, record.timestamp) });
      return 'resent';
    }
    if (!marker) return 'next';
    if (marker.rows !== open.expected || !sameChecksum(marker.checksum, open.checksum)) {
      throw this.#conflict(record, head, open);
    }
    const { hour, schema, firstChunk } = open;
    const { rows, checksum, partitions, workflowId } = marker;
    this.#open.delete(batch);
    this.#ended.set(batch, { hour, schema, rows, checksum, firstChunk, partitions, workflowId });
    return 'marker';
  }

  /** The row that was due has been taken. */
  took(batch: string, timestamp: number, lanes: IdentityChecksum, type: string | undefined): void {
    const open = this.#open.get(batch);
    if (!open) throw new RangeError(`batch ${batch} is not open`);
    this.#open.set(batch, {
      ...open,
      expected: open.expected + 1,
      checksum: addChecksums(open.checksum, lanes),
      lastSeen: timestamp,
      types: type === undefined || open.types.includes(type) ? open.types : [...open.types, type],
    });
  }

  /** The state after the records that were judged: what the manifest carries on. */
  state(): Pick<Manifest, 'open' | 'ended' | 'abandoned' | 'loss'> {
    const at = this.#latest ?? -Infinity;
    const abandoned = [...this.#open]
      .filter(([, open]) => at - open.lastSeen > this.#rules.abandonAfterMs)
      .map(([batch]) => batch);
    return {
      open: Object.fromEntries([...this.#open].filter(([batch]) => !abandoned.includes(batch))),
      ended: Object.fromEntries(this.#ended),
      abandoned,
      ...(this.#loss && this.#inItsTime(this.#loss, at) ? { loss: this.#loss } : {}),
    };
  }

  #begun(record: ReadRecord, { hour, schema }: SluiceRecord): OpenBatch {
    const firstChunk = this.#firstOfChunk;
    return { hour, schema, expected: 0, checksum: emptyChecksum, firstChunk, lastSeen: record.timestamp, types: [] };
  }

  /** Only a batch that has begun before the range that was given up, or in it, may have lost rows to it. */
  #mayBeDamaged(record: ReadRecord, open: OpenBatch | undefined): boolean {
    const loss = this.#loss;
    if (!loss || !this.#inItsTime(loss, record.timestamp)) return false;
    return open === undefined || BigInt(open.firstChunk) <= BigInt(loss.first);
  }

  #inItsTime(loss: Loss, at: number): boolean {
    return at - loss.acceptedAt <= this.#rules.abandonAfterMs;
  }

  #missing(record: ReadRecord, head: SluiceRecord, expected: number): SluiceError {
    const { topic, partition } = this.#rules;
    return new SluiceError(
      'RowsMissing',
      `Topic ${topic}, partition ${partition}, offset ${record.offset}: batch ${head.batch} goes on with row ${head.seq}, ` +
        `but row ${expected} never came; the rows between are not in the log.`,
      { facts: { topic, partition, offset: String(record.offset), batch: head.batch, expected, found: head.seq } },
    );
  }

  #conflict(record: ReadRecord, head: SluiceRecord, open: OpenBatch): SluiceError {
    const { topic, partition } = this.#rules;
    return new SluiceError(
      'RowsMissing',
      `Topic ${topic}, partition ${partition}, offset ${record.offset}: the end marker of batch ${head.batch} counts ` +
        `${head.marker?.rows} rows, and ${open.expected} rows with another checksum are there.`,
      { facts: { topic, partition, offset: String(record.offset), batch: head.batch } },
    );
  }
}
