import { hiveEscape } from '../../definition/names.ts';
import { hourDate } from '../../definition/hour.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum } from '../../definition/refs.ts';
import type { ReadRecord } from '../../connectors/log.ts';
import type { Row } from '../../formats/parquet.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, sameChecksum } from '../identity.ts';
import type { SluiceRecord } from '../record.ts';
import type { EndedBatch, LastRecord, Manifest, OpenBatch } from './manifest.ts';
import type { LandSchema } from './schema.ts';

/** More values of `type=` than this go to one folder together: a typo in a definition must not make a million objects. */
export const MAX_TYPES = 64;
export const OTHER_TYPE = '__other__';
const NULL_TYPE = '__HIVE_DEFAULT_PARTITION__';

/** Rows of one batch for one data object. */
export interface RowGroup {
  readonly batch: string;
  readonly schema: string;
  readonly date: string;
  readonly type: string;
  readonly rows: Row[];
  checksum: IdentityChecksum;
}

/** What {@link Chunk.accept} did with a record. */
export type Accepted = 'row' | 'marker' | 'resent' | 'foreign';

interface Rules {
  readonly topic: string;
  readonly epoch: string;
  readonly partition: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly abandonAfterMs: number;
}

/**
 * The rows of one partition since the head of its chain, and the state of the batches in them. Pure: what it holds is a
 * function of the head and of the records accepted, so two writers that read the same log make the same manifests.
 */
export class Chunk {
  readonly first: bigint;
  readonly groups = new Map<string, RowGroup>();
  readonly #rules: Rules;
  readonly #head: Manifest | undefined;
  readonly #open: Map<string, OpenBatch>;
  readonly #ended = new Map<string, EndedBatch>();
  #next: bigint;
  #bytes = 0;
  #resent = 0;
  #foreign = 0;
  #last: LastRecord | undefined;
  #full = false;

  constructor(head: Manifest | undefined, rules: Rules) {
    this.#rules = rules;
    this.#head = head;
    this.first = head ? BigInt(head.last) + 1n : 0n;
    this.#next = this.first;
    this.#open = new Map(Object.entries(head?.open ?? {}));
  }

  /** The offset that the next record must have. */
  get next(): bigint {
    return this.#next;
  }

  /** The chunk has reached its end by the rules and is to be committed before the next record. */
  get full(): boolean {
    return this.#full;
  }

  get openBatches(): number {
    return this.#open.size;
  }

  knows(batch: string): boolean {
    return this.#open.has(batch) || this.#ended.has(batch);
  }

  /**
   * Takes the record at {@link next}.
   * @param landed the batch's rows of this partition have been landed before this chunk
   * @throws SluiceError `RowsMissing` where rows before this one never came
   */
  accept(
    record: ReadRecord,
    head: SluiceRecord | undefined,
    schema: LandSchema | undefined,
    landed: boolean,
  ): Accepted {
    if (record.offset !== this.#next) throw new RangeError(`offset ${record.offset} is not ${this.#next}`);
    const accepted = this.#sort(record, head, schema, landed);
    this.#next += 1n;
    this.#last = {
      offset: String(record.offset),
      timestamp: record.timestamp,
      batch: record.headers['batch'] ?? null,
      seq: record.headers['seq'] ?? null,
    };
    if (accepted === 'resent') this.#resent += 1;
    if (accepted === 'foreign') this.#foreign += 1;
    const grid = this.#next % BigInt(this.#rules.maxRecords) === 0n;
    if (grid || this.#bytes >= this.#rules.maxBytes || head?.marker !== undefined) this.#full = true;
    return accepted;
  }

  #sort(record: ReadRecord, head: SluiceRecord | undefined, schema: LandSchema | undefined, landed: boolean): Accepted {
    if (!head || !schema || record.value === null) return 'foreign';
    if (landed || this.#ended.has(head.batch)) return 'resent';
    const open = this.#open.get(head.batch) ?? {
      hour: head.hour,
      schema: head.schema,
      expected: 0,
      checksum: emptyChecksum,
      firstChunk: String(this.first),
      lastSeen: record.timestamp,
      types: [],
    };
    if (head.seq < open.expected) return 'resent';
    if (head.seq > open.expected) throw this.#missing(record, head, open.expected);
    if (head.marker) {
      const { rows, checksum, partitions, workflowId } = head.marker;
      if (rows !== open.expected || !sameChecksum(checksum, open.checksum)) throw this.#conflict(record, head, open);
      this.#open.delete(head.batch);
      const { hour, firstChunk } = open;
      this.#ended.set(head.batch, { hour, schema: open.schema, rows, checksum, firstChunk, partitions, workflowId });
      return 'marker';
    }
    const id = record.key?.toString() ?? '';
    const row = schema.rowOf(id, record.value);
    if (!row) return 'foreign';
    this.#bytes += record.value.length;
    this.#open.set(head.batch, this.#add(record.timestamp, id, row, head, schema, open));
    return 'row';
  }

  #add(timestamp: number, id: string, row: Row, head: SluiceRecord, schema: LandSchema, open: OpenBatch): OpenBatch {
    const lanes = lanesOf(identityHash(id));
    const date = schema.date === undefined ? hourDate(head.hour) : String(row[schema.date] ?? NULL_TYPE).slice(0, 10);
    const wanted = schema.type === undefined ? 'record' : String(row[schema.type] ?? NULL_TYPE);
    const known = open.types.includes(wanted);
    const type = known || open.types.length < MAX_TYPES ? wanted : OTHER_TYPE;
    const name = `${head.batch}/${hiveEscape(date)}/${hiveEscape(type)}`;
    const group = this.groups.get(name);
    if (group) {
      group.rows.push(row);
      group.checksum = addChecksums(group.checksum, lanes);
    } else {
      this.groups.set(name, { batch: head.batch, schema: head.schema, date, type, rows: [row], checksum: lanes });
    }
    return {
      ...open,
      expected: open.expected + 1,
      checksum: addChecksums(open.checksum, lanes),
      lastSeen: timestamp,
      types: known || type === OTHER_TYPE ? open.types : [...open.types, type],
    };
  }

  /** The manifest of what was accepted. Only for a chunk with at least one record. */
  manifest(objects: Manifest['objects']): Manifest {
    if (!this.#last) throw new RangeError('an empty chunk has no manifest');
    const { epoch, partition, abandonAfterMs } = this.#rules;
    const abandoned = [...this.#open]
      .filter(([, open]) => (this.#last?.timestamp ?? 0) - open.lastSeen > abandonAfterMs)
      .map(([batch]) => batch);
    return {
      kind: 'data',
      epoch,
      partition,
      first: String(this.first),
      last: String(this.#next - 1n),
      previous: this.#head?.first ?? null,
      lastRecord: this.#last,
      objects,
      open: Object.fromEntries([...this.#open].filter(([batch]) => !abandoned.includes(batch))),
      ended: Object.fromEntries(this.#ended),
      abandoned,
      resent: this.#resent,
      foreign: this.#foreign,
    };
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
