import { createHash } from 'node:crypto';
import { failPoint } from '../../connectors/fail-point.ts';
import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { BatchRecord, DataObject, IdentityChecksum } from '../../definition/refs.ts';
import type { Row } from '../../formats/parquet.ts';
import { unattended, type StageContext, type StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, sameChecksum } from '../identity.ts';
import { newestBatchRecord } from '../landing/batch-record.ts';
import { RECORD_COLUMN, SchemaRegistry, type LandSchema } from '../landing/schema.ts';
import { planCompaction, type CompactGroup } from './compact-plan.ts';

/** An object is closed when the texts of its rows have come to this: half of what a create-once object may have. */
export const TARGET_BYTES = 32 * 1024 * 1024;

/** What is fetched ahead at most. */
const FETCH_OBJECTS = 16;
const FETCH_BYTES = 4 * 1024 * 1024;

type Store = Pick<StageDeps, 'store'>;

export interface CompactInput {
  readonly stream: string;
  readonly batch: string;
  /** Characters of row text an object; {@link TARGET_BYTES} where left out. Two that run at once must agree to make the same objects. */
  readonly targetBytes?: number;
}

/** What became of a batch. `lost`: somebody else published this version first, with other objects; ours are garbage. */
export interface CompactedBatch {
  readonly batch: string;
  readonly version: number;
  readonly outcome: 'compacted' | 'lost';
  readonly from: readonly DataObject[];
  readonly into: readonly DataObject[];
}

/**
 * Writes the small objects of a batch as fewer and publishes the next version of its record. Readers of the older version go on: its
 * objects stay until gc's day is over. What was written is read again and compared, row by row, before a record names it; a crash
 * anywhere leaves the old version in force. Memory: one new object, and 4 MiB of old ones (or one).
 *
 * @returns undefined where the batch has no record or there is nothing to do
 * @throws SluiceError `RowsUnaccounted` where an object does not hold what its record says, or is not read back as it was written
 */
export async function compactBatch(
  deps: Store,
  { stream, batch, targetBytes = TARGET_BYTES }: CompactInput,
  ctx: StageContext = unattended,
): Promise<CompactedBatch | undefined> {
  const newest = await newestBatchRecord(deps.store, stream, batch);
  const plan = newest && planCompaction(newest.record);
  if (!plan) return undefined;
  const { record } = newest;
  const version = record.version + 1;
  const schema = await new SchemaRegistry(deps.store, stream).get(record.schema);
  const writer = new Rewriting(deps, record, schema, targetBytes, ctx);
  const into: DataObject[] = [];
  for (const group of plan.groups) into.push(...(await writer.group(group)));
  const objects = [...plan.kept, ...into];
  requireSame(`version ${version} of batch ${batch}`, sumsOf(objects), record);
  await failPoint('compact:before-record');
  ctx.signal.throwIfAborted();
  const next: BatchRecord = { ...record, version, objects };
  const body = Buffer.from(JSON.stringify(next));
  const { created, bytes } = await deps.store.createOnce(keys.batchRecord(stream, batch, version), body);
  const outcome = created || bytes.equals(body) ? 'compacted' : 'lost';
  return { batch, version, outcome, from: plan.groups.flatMap(({ from }) => from), into };
}

interface Sums {
  readonly rows: number;
  readonly checksum: IdentityChecksum;
}

/** One batch on its way into fewer objects. */
class Rewriting {
  readonly #deps: Store;
  readonly #record: BatchRecord;
  readonly #schema: LandSchema;
  readonly #targetBytes: number;
  readonly #ctx: StageContext;
  #rows = 0;

  constructor(deps: Store, record: BatchRecord, schema: LandSchema, targetBytes: number, ctx: StageContext) {
    this.#deps = deps;
    this.#record = record;
    this.#schema = schema;
    this.#targetBytes = targetBytes;
    this.#ctx = ctx;
  }

  async group(group: CompactGroup): Promise<DataObject[]> {
    const made: DataObject[] = [];
    let rows: Row[] = [];
    let text = 0;
    for await (const row of this.#rowsOf(group.from)) {
      rows.push(row);
      text += textOf(row);
      if (text < this.#targetBytes) continue;
      made.push(await this.#write(group, rows));
      rows = [];
      text = 0;
    }
    if (rows.length > 0) made.push(await this.#write(group, rows));
    requireSame(
      `date ${group.date}, type ${group.type} of batch ${this.#record.batch}`,
      sumsOf(made),
      sumsOf(group.from),
    );
    return made;
  }

  async *#rowsOf(objects: readonly DataObject[]): AsyncGenerator<Row> {
    for await (const { key, rows, checksum, content } of this.#fetched(objects)) {
      const seen = new RowSums(this.#schema);
      for (const batch of this.#schema.decode(content)) {
        for (const row of batch) seen.add(row);
        yield* batch;
      }
      requireSame(key, seen, { rows, checksum });
      this.#rows += rows;
      this.#ctx.progress({
        rows: this.#rows,
        note: `${this.#record.hour}: rewrote ${countText(this.#rows)} of ${countText(this.#record.rows)} rows`,
      });
    }
  }

  /** Objects with their bytes. Small ones are fetched some at once: waiting for each would be most of the time. */
  async *#fetched(objects: readonly DataObject[]): AsyncGenerator<DataObject & { content: Buffer }> {
    const { store } = this.#deps;
    for (let at = 0; at < objects.length;) {
      this.#ctx.signal.throwIfAborted();
      const window: DataObject[] = [];
      let sum = 0;
      for (const object of objects.slice(at, at + FETCH_OBJECTS)) {
        sum += object.bytes;
        if (window.length > 0 && sum > FETCH_BYTES) break;
        window.push(object);
      }
      at += window.length;
      yield* await Promise.all(
        window.map(async (object) => {
          const { key, sha256, bytes } = object;
          return { ...object, content: await store.fetch({ uri: store.uri(key), sha256, bytes }) };
        }),
      );
    }
  }

  /** Stores rows as one object, and reads it again before anybody is told of it. */
  async #write({ date, type }: CompactGroup, rows: readonly Row[]): Promise<DataObject> {
    const { store } = this.#deps;
    const { stream, batch, version } = this.#record;
    const wanted = new RowSums(this.#schema);
    for (const row of rows) wanted.add(row);
    const bytes = await this.#schema.encode(rows);
    const sha256 = sha256Hex(bytes);
    const file = keys.compactedFile(batch, version + 1, sha256, this.#schema.format);
    const key = keys.dataPrefix(stream, date, type) + file;
    await store.createOnce(key, bytes);
    await failPoint('compact:after-object');
    const read = new RowSums(this.#schema);
    for (const found of this.#schema.decode(await store.fetch({ uri: store.uri(key), sha256, bytes: bytes.length }))) {
      for (const row of found) read.add(row);
    }
    requireSame(key, read, wanted);
    if (read.digest !== wanted.digest) throw unlike(key, 'its rows are not those that were written');
    const { checksum } = read;
    return { key, sha256, bytes: bytes.length, rows: rows.length, checksum, date, type };
  }
}

/** Rows as they pass: their number, the checksum of their identities, and a digest of all their values in order. */
class RowSums implements Sums {
  rows = 0;
  checksum: IdentityChecksum = emptyChecksum;
  readonly #hash = createHash('sha256');
  readonly #names: readonly string[];

  constructor(schema: LandSchema) {
    this.#names = schema.columns.map(({ name }) => name);
  }

  add(row: Row): void {
    this.rows += 1;
    this.checksum = addChecksums(this.checksum, lanesOf(identityHash(String(row[RECORD_COLUMN]))));
    this.#hash.update(JSON.stringify(this.#names.map((name) => row[name] ?? null)));
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

function textOf(row: Row): number {
  return Object.values(row).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0);
}

function sumsOf(objects: readonly DataObject[]): Sums {
  return {
    rows: objects.reduce((sum, { rows }) => sum + rows, 0),
    checksum: objects.map(({ checksum }) => checksum).reduce(addChecksums, emptyChecksum),
  };
}

function requireSame(what: string, found: Sums, wanted: Sums): void {
  if (found.rows !== wanted.rows) throw unlike(what, `${found.rows} rows, and ${wanted.rows} are recorded`);
  if (!sameChecksum(found.checksum, wanted.checksum))
    throw unlike(what, `${found.rows} rows, but not the recorded ones`);
}

function unlike(what: string, found: string): SluiceError {
  return new SluiceError('RowsUnaccounted', `Compacting ${what}: ${found}; nothing was changed.`);
}
