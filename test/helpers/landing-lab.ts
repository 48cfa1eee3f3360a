import { randomBytes } from 'node:crypto';
import type { BatchControl, ReadRecord } from '../../src/connectors/log.ts';
import { hourKey, type LogicalHour } from '../../src/definition/hour.ts';
import { keys } from '../../src/definition/names.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import type { HourRecord, ImportRecord, SeenHours } from '../../src/definition/refs.ts';
import type { Row } from '../../src/formats/parquet.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { batchIdOf, schemaVersion, sha256Hex } from '../../src/stages/hashing.ts';
import {
  addChecksums,
  emptyChecksum,
  identityHash,
  lanesOf,
  partitionOf,
  recordId,
} from '../../src/stages/identity.ts';
import type { ConsumeInput, Landed } from '../../src/stages/io.ts';
import { commitBatch, findLanded } from '../../src/stages/landing/batch-record.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { PartitionLander } from '../../src/stages/landing/partition-lander.ts';
import { RECORD_COLUMN, SchemaRegistry, storeSchema } from '../../src/stages/landing/schema.ts';
import { markerHeaders, rowHeaders, type EndMarker } from '../../src/stages/record.ts';
import { valueEncoder } from '../../src/stages/record-value.ts';

const control: BatchControl = { alive: async () => {}, seek: () => {}, show: async () => {} };

/** A stream on a real object store whose log is a list: hours are landed by the lander itself, as quickly as they can be. */
export class LandingLab {
  readonly deps: Pick<StageDeps, 'store'>;
  readonly pipeline: Pipeline;
  readonly stream: string;
  readonly #log: ReadRecord[][];
  readonly #input: ConsumeInput;

  private constructor(deps: Pick<StageDeps, 'store'>, pipeline: Pipeline, partitions: number) {
    this.deps = deps;
    this.pipeline = pipeline;
    this.stream = pipeline.name;
    this.#log = Array.from({ length: partitions }, () => []);
    this.#input = {
      ...{ stream: this.stream, topic: this.stream, epoch: randomBytes(4).toString('hex'), life: 1, partitions },
      ...{ shard: 0, maxRecords: pipeline.land.maxRecords, maxBytes: pipeline.land.maxBytes },
      abandonAfterMs: 86_400_000,
    };
  }

  static async make(
    deps: Pick<StageDeps, 'store'>,
    overrides: Partial<PipelineInput> = {},
    partitions = 3,
  ): Promise<LandingLab> {
    const pipeline = pipelineSchema.parse({
      name: `m-${randomBytes(4).toString('hex')}`,
      source: { url: 'https://example.org/x.csv' },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal', precision: 12, scale: 3 },
        seen: { name: 'seen', type: 'timestamp' },
      },
      key: ['id'],
      land: { type: 'kind', maxRecords: 20 },
      ...overrides,
    });
    const lab = new LandingLab(deps, pipeline, partitions);
    await storeSchema(deps.store, lab.stream, lab.schema, lab.#output, pipeline.land);
    return lab;
  }

  get #output() {
    return streamOf(this.pipeline, 'main').output;
  }

  get schema(): string {
    return schemaVersion(this.#output, this.pipeline.land);
  }

  /** Rows of an hour: none like another hour's. */
  rows(hour: LogicalHour, count: number, mark = ''): Record<string, string | null>[] {
    return Array.from({ length: count }, (_, at) => ({
      id: `${hourKey(hour)}-${at}${mark}`,
      kind: at % 7 === 0 ? null : `k/${at % 2}`,
      amount: at % 5 === 0 ? null : `${at}.125`,
      seen: hour,
    }));
  }

  batchOf(hour: LogicalHour, rows: readonly Record<string, string | null>[]): string {
    return batchIdOf(streamOf(this.pipeline, 'main'), hour, sha256Hex(JSON.stringify(rows)), this.schema);
  }

  /** Appends a batch to the log. @param ends partitions that get their end marker; all of them where left out */
  publish(
    hour: LogicalHour,
    rows: readonly Record<string, string | null>[],
    { ends, timestamp = Date.now() }: { ends?: readonly number[]; timestamp?: number } = {},
  ): string {
    const batch = this.batchOf(hour, rows);
    const head = { batch, epoch: this.#input.epoch, schema: this.schema, hour };
    const partitions = this.#log.length;
    const sums = this.#log.map(() => ({ rows: 0, checksum: emptyChecksum }));
    const append = (partition: number, record: Pick<ReadRecord, 'key' | 'value' | 'headers'>): void => {
      const log = this.#log[partition] ?? [];
      log.push({ ...record, partition, offset: BigInt(log.length), timestamp });
    };
    const encode = valueEncoder(this.#output);
    for (const row of rows) {
      const id = recordId([row['id'] ?? null]);
      const hash = identityHash(id);
      const partition = partitionOf(hash, partitions);
      const sum = sums[partition] ?? { rows: 0, checksum: emptyChecksum };
      const value = Buffer.from(encode(id, row));
      append(partition, { key: Buffer.from(id), value, headers: rowHeaders({ ...head, seq: sum.rows }) });
      sum.rows += 1;
      sum.checksum = addChecksums(sum.checksum, lanesOf(hash));
    }
    for (const [partition, sum] of sums.entries()) {
      if (ends && !ends.includes(partition)) continue;
      const marker: EndMarker = { batch, ...sum, partitions, workflowId: 'nobody' };
      const headers = markerHeaders({ ...head, seq: sum.rows });
      append(partition, { key: null, value: Buffer.from(JSON.stringify(marker)), headers });
    }
    return batch;
  }

  /** Lands what is in the log. @param maxRecords another size of chunks than the definition's */
  async land(maxRecords = this.#input.maxRecords): Promise<void> {
    await this.landOn(this.deps, maxRecords);
  }

  /** {@link land} on a store that has its troubles. */
  async landOn({ store }: Pick<StageDeps, 'store'>, maxRecords = this.#input.maxRecords): Promise<void> {
    const schemas = new SchemaRegistry(store, this.stream);
    for (const [partition, log] of this.#log.entries()) {
      const lander = new PartitionLander(store, { ...this.#input, maxRecords }, schemas, partition, {
        committed: () => {},
        deadLetters: async () => {},
        ended: async (batch, end) => {
          await commitBatch(store, this.stream, batch, this.#input.epoch, await schemas.get(end.schema));
        },
      });
      await lander.load();
      const from = lander.startAt(0n, BigInt(log.length));
      await lander.take(log.slice(Number(from)), control, unattended.signal);
    }
  }

  async landed(batchId: string): Promise<Landed | undefined> {
    return findLanded(this.deps, { stream: this.stream, batchId });
  }

  async commit(hour: LogicalHour, batchId: string, seen?: SeenHours): Promise<HourRecord> {
    const landed = await this.landed(batchId);
    if (!landed) throw new Error(`batch ${batchId} has not landed`);
    const content = { landed };
    return commitHour(this.deps, {
      ...{ stream: this.stream, hour, rawSha: 'r', definitionSha: 'd', content },
      ...(seen ? { seen } : {}),
    });
  }

  /** Publishes, lands and commits an hour. */
  async hour(hour: LogicalHour, count: number, mark = ''): Promise<string> {
    const batch = this.publish(hour, this.rows(hour, count, mark));
    await this.land();
    await this.commit(hour, batch);
    return batch;
  }

  /** A fetched file of an hour with its import record, as an import leaves it. */
  async import(hour: LogicalHour, body: string): Promise<ImportRecord> {
    const { store } = this.deps;
    const raw = await store.put(keys.raw(this.stream, sha256Hex(body)), Buffer.from(body));
    const record: ImportRecord = {
      ...{ pipeline: this.stream, hour, n: 1, source: 'https://example.org/x.csv', fetchedAt: hour, raw },
    };
    await store.createJson(keys.importRecord(this.stream, hour, 1), record);
    return record;
  }

  /** Every row that readers reach, hour → batch → objects, each object by its hash: `record value …` by hour. */
  async read(): Promise<Map<LogicalHour, string[]>> {
    const { store } = this.deps;
    const found = new Map<LogicalHour, string[]>();
    const newest = new Map<string, string>();
    for await (const { key } of store.list(keys.hoursAll(this.stream))) newest.set(key.split('/')[3] ?? '', key);
    for (const key of newest.values()) {
      const record = await store.findJson<HourRecord>(key);
      if (record?.batch === undefined) continue;
      found.set(record.hour, await this.rowsOf(record.batch));
    }
    return found;
  }

  /** The rows of one batch by the newest version of its record, or by an older one. */
  async rowsOf(batch: string, version?: number): Promise<string[]> {
    const { store } = this.deps;
    const key =
      version === undefined
        ? await store.lastKey(keys.batches(this.stream, batch))
        : keys.batchRecord(this.stream, batch, version);
    const record = await store.findJson<{ objects: { key: string; sha256: string; bytes: number }[]; schema: string }>(
      key ?? '',
    );
    const schema = await new SchemaRegistry(store, this.stream).get(record?.schema ?? '');
    const rows: string[] = [];
    for (const { key: object, sha256, bytes } of record?.objects ?? []) {
      const content = await store.fetch({ uri: store.uri(object), sha256, bytes });
      for (const batchRows of schema.decode(content)) rows.push(...batchRows.map(textOf));
    }
    return rows.toSorted();
  }

  async keysBelow(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of this.deps.store.list(prefix)) found.push(key);
    return found;
  }
}

const textOf = (row: Row): string => JSON.stringify([row[RECORD_COLUMN], row['kind'], row['amount'], row['seen']]);
