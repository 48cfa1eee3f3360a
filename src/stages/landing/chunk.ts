import { hourDate } from '../../definition/hour.ts';
import { hiveEscape } from '../../definition/names.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum } from '../../definition/refs.ts';
import type { ReadRecord } from '../../connectors/log.ts';
import type { Value } from '../../formats/arrow-columns.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf } from '../identity.ts';
import type { SluiceRecord } from '../record.ts';
import { BatchLedger } from './batch-ledger.ts';
import type { LastRecord, Manifest } from './manifest.ts';
import type { ForeignRow } from './foreign-row.ts';
import type { LandSchema, RowCollector } from './schema.ts';

/** More values of `type=` than this go to one folder together: a typo in a definition must not make a million objects. */
export const MAX_TYPES = 64;
export const OTHER_TYPE = '__other__';
/** A longer value goes there too. Object stores refuse keys with parts of more than 255 bytes (MinIO), or of more than 1,024 in all. */
const MAX_TYPE_BYTES = 200;
const NULL_TYPE = '__HIVE_DEFAULT_PARTITION__';

/** Rows for one data object: of one batch, or of other producers, which have none. */
export interface RowGroup {
  readonly batch: string | null;
  readonly schema: string;
  readonly date: string;
  readonly type: string;
  readonly rows: RowCollector;
  checksum: IdentityChecksum;
}

/** What {@link Chunk.accept} did with a record. */
export type Accepted = 'row' | 'marker' | 'resent' | 'lost' | 'foreign';

interface Rules {
  readonly topic: string;
  readonly epoch: string;
  readonly partition: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly abandonAfterMs: number;
}

/**
 * The rows of one partition since the head of its chain. Pure: what it holds is a function of the head and of the records accepted, so
 * two writers that read the same log make the same manifests.
 */
export class Chunk {
  readonly first: bigint;
  readonly groups = new Map<string, RowGroup>();
  readonly #rules: Rules;
  readonly #head: Manifest | undefined;
  readonly #ledger: BatchLedger;
  readonly #foreignTypes = new Set<string>();
  /** By type, the group that was added to last: most rows go where the one before them went. */
  readonly #lastGroups = new Map<string, RowGroup>();
  #next: bigint;
  #bytes = 0;
  #resent = 0;
  #foreign = 0;
  #lost = 0;
  #last: LastRecord | undefined;
  #full = false;

  constructor(head: Manifest | undefined, rules: Rules) {
    this.#rules = rules;
    this.#head = head;
    this.first = head ? BigInt(head.last) + 1n : 0n;
    this.#next = this.first;
    this.#ledger = new BatchLedger(head, this.first, rules);
  }

  /** The offset that the next record must have. */
  get next(): bigint {
    return this.#next;
  }

  /** Nothing has been accepted since the head. */
  get empty(): boolean {
    return this.#next === this.first;
  }

  /** The chunk has reached its end by the rules and is to be committed before the next record. */
  get full(): boolean {
    return this.#full;
  }

  /** Value bytes of what it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  get openBatches(): number {
    return this.#ledger.openBatches;
  }

  knows(batch: string): boolean {
    return this.#ledger.knows(batch);
  }

  /**
   * Takes the record at {@link next}.
   * @param landed the batch's rows of this partition have been landed before this chunk
   * @param foreign how to land a record of another producer; such records are counted, and nothing else, where left out
   * @throws SluiceError `RowsMissing` where rows before this one never came
   */
  accept(
    record: ReadRecord,
    head: SluiceRecord | undefined,
    schema: LandSchema | undefined,
    landed: boolean,
    foreign?: ForeignRow,
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
    if (accepted === 'lost') this.#lost += 1;
    if (accepted === 'foreign') {
      this.#foreign += 1;
      this.#bytes += record.value?.length ?? 0;
      if (foreign) this.#addForeign(record, foreign);
    }
    const grid = this.#next % BigInt(this.#rules.maxRecords) === 0n;
    if (grid || this.#bytes >= this.#rules.maxBytes || head?.marker !== undefined) this.#full = true;
    return accepted;
  }

  #sort(record: ReadRecord, head: SluiceRecord | undefined, schema: LandSchema | undefined, landed: boolean): Accepted {
    if (!head || !schema || record.value === null) return 'foreign';
    const judged = this.#ledger.judge(record, head, landed);
    if (judged === 'lost') this.#forget(head.batch);
    if (judged !== 'next') return judged;
    const open = this.#ledger.open(head.batch);
    // A batch has one schema: its id is made of it. Rows of another would not fit the columns of its objects.
    if (open && open.schema !== head.schema) return 'foreign';
    const id = record.key?.toString() ?? '';
    const values = schema.valuesOf(id, record.value);
    if (!values) return 'foreign';
    const lanes = lanesOf(identityHash(id));
    const types = open?.types ?? [];
    const wanted = typeOf(values, schema);
    const type = types.includes(wanted) || types.length < MAX_TYPES ? wanted : OTHER_TYPE;
    const date = dateOf(values, schema) ?? hourDate(head.hour);
    if (!this.#fits(this.#groupOf(head.batch, schema, date, type), values, lanes)) return 'foreign';
    this.#bytes += record.value.length;
    this.#ledger.took(head.batch, record.timestamp, lanes, type === wanted ? type : undefined);
    return 'row';
  }

  /** Other producers' rows have no hour: their day is that of the record. */
  #addForeign(record: ReadRecord, { id, values, schema }: ForeignRow): void {
    const wanted = typeOf(values, schema);
    const type = this.#foreignTypes.has(wanted) || this.#foreignTypes.size < MAX_TYPES ? wanted : OTHER_TYPE;
    if (type === wanted) this.#foreignTypes.add(wanted);
    const date = dateOf(values, schema) ?? dayOf(record.timestamp);
    this.#add(this.#groupOf(null, schema, date, type), values, lanesOf(identityHash(id)));
  }

  #add(group: RowGroup, values: readonly Value[], lanes: IdentityChecksum): void {
    group.rows.add(values);
    group.checksum = addChecksums(group.checksum, lanes);
  }

  /** Adds a row, unless it is none of the schema's: anybody may write headers like ours over values that are not. */
  #fits(group: RowGroup, values: readonly Value[], lanes: IdentityChecksum): boolean {
    try {
      this.#add(group, values, lanes);
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'ObjectCorrupt')) throw error;
      for (const [name, { rows }] of this.groups) if (rows.count === 0) this.groups.delete(name);
      this.#lastGroups.clear();
      return false;
    }
  }

  #groupOf(batch: string | null, schema: LandSchema, date: string, type: string): RowGroup {
    const last = this.#lastGroups.get(type);
    if (last?.batch === batch && last.date === date) return last;
    const name = `${batch ?? ''}/${hiveEscape(date)}/${hiveEscape(type)}`;
    let group = this.groups.get(name);
    if (!group) {
      group = { batch, schema: schema.version, date, type, rows: schema.collector(), checksum: emptyChecksum };
      this.groups.set(name, group);
    }
    this.#lastGroups.set(type, group);
    return group;
  }

  /** What the chunk holds of a batch that turns out to have lost rows belongs to nothing any more. */
  #forget(batch: string): void {
    for (const [name, group] of this.groups) if (group.batch === batch) this.groups.delete(name);
    this.#lastGroups.clear();
  }

  /** The manifest of what was accepted. Only for a chunk with at least one record. */
  manifest(objects: Manifest['objects'], foreignObjects: Manifest['foreignObjects'] = []): Manifest {
    if (!this.#last) throw new RangeError('an empty chunk has no manifest');
    const { epoch, partition } = this.#rules;
    const { open, ended, abandoned, loss } = this.#ledger.state();
    return {
      kind: 'data',
      epoch,
      partition,
      first: String(this.first),
      last: String(this.#next - 1n),
      previous: this.#head?.first ?? null,
      lastRecord: this.#last,
      objects,
      ...(foreignObjects.length > 0 ? { foreignObjects } : {}),
      open,
      ended,
      abandoned,
      resent: this.#resent,
      foreign: this.#foreign,
      ...(this.#lost > 0 ? { lost: this.#lost } : {}),
      ...(loss ? { loss } : {}),
    };
  }
}

function dateOf(values: readonly Value[], schema: LandSchema): string | undefined {
  if (schema.date === undefined) return undefined;
  return schema.textOf(schema.date, values)?.slice(0, 10) ?? NULL_TYPE;
}

/** The day of a time that another producer has set, which may be anything. */
function dayOf(timestamp: number): string {
  const day = new Date(timestamp);
  return Number.isNaN(day.getTime()) ? NULL_TYPE : day.toISOString().slice(0, 10);
}

function typeOf(values: readonly Value[], schema: LandSchema): string {
  if (schema.type === undefined) return 'record';
  const type = schema.textOf(schema.type, values) ?? NULL_TYPE;
  // Most are short: a byte is three letters at most when it is escaped, and a unit of text three bytes.
  return type.length * 9 <= MAX_TYPE_BYTES || hiveEscape(type).length <= MAX_TYPE_BYTES ? type : OTHER_TYPE;
}
