import { randomBytes } from 'node:crypto';
import { keys } from '../../src/definition/names.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import type { BatchRecord, DataObject, HourRecord, PreparedStream } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { unattended, type StageContext, type StageDeps } from '../../src/stages/deps.ts';
import { batchIdOf, schemaVersion, sha256Hex } from '../../src/stages/hashing.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, recordId } from '../../src/stages/identity.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import { prepareIndex } from '../../src/stages/indexing/prepare-index.ts';
import type { IndexInput } from '../../src/stages/io.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { LandSchema, storeSchema } from '../../src/stages/landing/schema.ts';

/** A row by column name, values as they are landed. The first column is the key. */
export type LabRow = Readonly<Record<string, string | null>>;

/** The nth hour of a test. */
export const nth = (n: number): string => new Date(Date.UTC(2026, 10, 24, n)).toISOString().replace('.000Z', 'Z');

/** Hours that are landed and committed without a topic: what indexing begins with. */
export class IndexLab {
  readonly deps: StageDeps;

  constructor(deps: StageDeps) {
    this.deps = deps;
  }

  /** A pipeline of its own per test: nothing is shared but the servers. */
  definition(overrides: Partial<PipelineInput> = {}, name = `i-${randomBytes(4).toString('hex')}`): Pipeline {
    return pipelineSchema.parse({
      name,
      source: { url: 'https://example.org/x.csv' },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal' },
      },
      key: ['id'],
      ...overrides,
    });
  }

  async prepare(pipeline: Pipeline): Promise<PreparedStream> {
    const stream = streamOf(pipeline, 'main');
    const schema = schemaVersion(stream.output, pipeline.land);
    await storeSchema(this.deps.store, stream.name, schema, stream.output, pipeline.land);
    const { index, changes } = await prepareIndex(this.deps, stream, pipeline);
    const { dataset, name, topic, alias } = stream;
    return { dataset, stream: name, topic, partitions: 1, epoch: 'e1', life: 1, index, alias, schema, changes };
  }

  /** Stores the rows of an hour as data objects and a batch record, and commits the hour. */
  async commit(pipeline: Pipeline, hour: string, rows: readonly LabRow[], objectRows = 400): Promise<HourRecord> {
    const { store } = this.deps;
    const stream = streamOf(pipeline, 'main');
    const version = schemaVersion(stream.output, pipeline.land);
    const schema = new LandSchema({ version, output: stream.output, land: { format: pipeline.land.format } });
    await storeSchema(store, stream.name, version, stream.output, pipeline.land);
    const batch = batchIdOf(stream, hour, sha256Hex(JSON.stringify(rows)), version);
    const objects: DataObject[] = [];
    for (let at = 0; at < rows.length; at += objectRows) {
      const some = rows.slice(at, at + objectRows).map((row) => ({ _record: recordOf(row), ...row }));
      const bytes = await schema.encode(some);
      const key = `landing/${stream.name}/date=${hour.slice(0, 10)}/type=record/${batch}-${at}`;
      const { sha256 } = await store.put(key, bytes);
      const checksum = some.map((row) => lanesOf(identityHash(row._record))).reduce(addChecksums, emptyChecksum);
      objects.push({ key, sha256, bytes: bytes.length, rows: some.length, checksum, date: hour, type: 'record' });
    }
    const record: BatchRecord = {
      ...{ batch, version: 1, stream: stream.name, hour, epoch: 'e1', schema: version, format: pipeline.land.format },
      rows: rows.length,
      checksum: objects.map(({ checksum }) => checksum).reduce(addChecksums, emptyChecksum),
      objects,
    };
    await store.createJson(keys.batchRecord(stream.name, batch, 1), record);
    const landed = await this.#landed(stream.name, batch);
    return commitHour(this.deps, { stream: stream.name, hour, rawSha: 'r', definitionSha: 'd', content: { landed } });
  }

  async #landed(stream: string, batchId: string) {
    const landed = await findLanded(this.deps, { stream, batchId });
    if (!landed) throw new Error(`batch ${batchId} has not landed`);
    return landed;
  }

  async input(pipeline: Pipeline, prepared: PreparedStream, hourRecord: HourRecord): Promise<IndexInput> {
    return { pipeline, prepared, hourRecord, landed: await this.#landed(prepared.stream, hourRecord.batch ?? '') };
  }

  /** Commits an hour and runs its index stage. */
  async index(pipeline: Pipeline, hour: string, rows: readonly LabRow[], ctx: StageContext = unattended) {
    const prepared = await this.prepare(pipeline);
    const hourRecord = await this.commit(pipeline, hour, rows);
    return indexBatch(this.deps, await this.input(pipeline, prepared, hourRecord), ctx);
  }

  /** All documents of an index, or of the one behind an alias, by id. */
  async documents(index: string): Promise<Record<string, Record<string, unknown>>> {
    const { client } = this.deps.search;
    await client.indices.refresh({ index });
    const found = await client.search<Record<string, unknown>>({ index, size: 10_000 });
    return Object.fromEntries(found.hits.hits.map(({ _id, _source }) => [_id ?? '', _source ?? {}]));
  }

  async count(index: string): Promise<number> {
    await this.deps.search.client.indices.refresh({ index });
    return (await this.deps.search.client.count({ index })).count;
  }

  /** The indices of a pipeline with their aliases, as the server has them. */
  async indices(alias: string): Promise<Record<string, string[]>> {
    const found = await this.deps.search.client.indices.getAlias({ index: `${alias}-*` });
    return Object.fromEntries(Object.entries(found).map(([name, { aliases }]) => [name, Object.keys(aliases)]));
  }
}

export const recordOf = (row: LabRow): string => recordId([row['id'] ?? null]);

/** So many rows, r0, r1 … */
export const labRows = (count: number, more: (at: number) => LabRow = () => ({})): LabRow[] =>
  Array.from({ length: count }, (_, at) => ({ id: `r${at}`, kind: `k${at % 3}`, amount: `${at}.500000`, ...more(at) }));
