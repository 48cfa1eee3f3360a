import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { keys } from '../../src/definition/names.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import type { BatchRecord, CleanBatch, HourRecord, PreparedStream } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { reconcile } from '../../src/stages/accounting/reconcile.ts';
import { unattended, type StageContext, type StageDeps } from '../../src/stages/deps.ts';
import { batchIdOf, sha256Hex } from '../../src/stages/hashing.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, recordId } from '../../src/stages/identity.ts';
import { indexBatch } from '../../src/stages/indexing/index-batch.ts';
import type { ConsumeInput, ConsumeStatus, Landed } from '../../src/stages/io.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import { prepare } from '../../src/stages/preparing/prepare.ts';
import { publish } from '../../src/stages/publishing/publish.ts';
import { stageDeps } from './servers.ts';
import { testStack } from './stack.ts';

export const labHour = '2026-11-24T03:00:00Z';

/** The streaming half on real servers, stage by stage, without Temporal. Nothing is shared between tests but the servers. */
export class StreamingLab {
  readonly deps: StageDeps;

  private constructor(deps: StageDeps) {
    this.deps = deps;
  }

  static async start(): Promise<StreamingLab> {
    const deps = stageDeps((await testStack()).environment, `streaming-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
    return new StreamingLab(deps);
  }

  async stop(): Promise<void> {
    await this.deps.search.close();
  }

  /** A pipeline of its own. */
  definition(overrides: Partial<PipelineInput> = {}): Pipeline {
    return pipelineSchema.parse({
      name: `s-${randomBytes(4).toString('hex')}`,
      source: { url: 'https://example.org/x.csv' },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal' },
      },
      key: ['id'],
      land: { type: 'kind', maxRecords: 50 },
      publish: { batchRows: 20 },
      ...overrides,
    });
  }

  rows(count: number): string[][] {
    return Array.from({ length: count }, (_, at) => [`r${at}`, `k${at % 3}`, String(at / 8)]);
  }

  async cleanBatch(pipeline: Pipeline, prepared: PreparedStream, rows: string[][]): Promise<CleanBatch> {
    const text = ['id,kind,amount', ...rows.map((row) => row.join(','))].join('\n') + '\n';
    const batchId = batchIdOf(streamOf(pipeline, 'main'), labHour, sha256Hex(text), prepared.schema);
    const clean = await this.deps.store.upload(Readable.from([Buffer.from(text)]), () =>
      keys.batch(prepared.stream, labHour, batchId, 'clean.csv'),
    );
    const checksum = rows
      .map(([id]) => lanesOf(identityHash(recordId([id ?? '']))))
      .reduce(addChecksums, emptyChecksum);
    const counts = { read: rows.length, clean: rows.length, duplicates: 0, filtered: 0, rejected: 0 };
    return { dataset: 'main', batchId, clean, rows: counts, checksum, rejects: clean, report: clean };
  }

  async prepared(pipeline: Pipeline): Promise<PreparedStream> {
    const [main] = await prepare(this.deps, { pipeline }, unattended);
    if (!main) throw new Error('prepare gave no stream');
    return main;
  }

  send(pipeline: Pipeline, stream: PreparedStream, batch: CleanBatch, ctx: StageContext = unattended) {
    return publish(this.deps, { pipeline, hour: labHour, prepared: stream, batch, workflowId: 'nobody' }, ctx);
  }

  input(pipeline: Pipeline, stream: PreparedStream, more: Partial<ConsumeInput> = {}): ConsumeInput {
    const { topic, epoch, life, partitions } = stream;
    const { maxRecords, maxBytes } = pipeline.land;
    return {
      ...{ stream: stream.stream, topic, epoch, life, partitions, shard: 0, maxRecords, maxBytes },
      abandonAfterMs: 86_400_000,
      ...more,
    };
  }

  /** Runs a consumer until `done` of the batches that it told of, or of its status; then stops it. */
  async consumeUntil(
    given: ConsumeInput,
    done: (landed: BatchRecord[]) => boolean,
    statusDone: (status: ConsumeStatus) => boolean = () => false,
    stop = new AbortController(),
  ): Promise<{ landed: BatchRecord[]; status: ConsumeStatus }> {
    const landed: BatchRecord[] = [];
    const status = await consume(
      this.deps,
      given,
      { signal: stop.signal, progress: () => {} },
      {
        landed: async (record) => {
          landed.push(record);
          if (done(landed)) stop.abort();
        },
        status: (now) => {
          if (statusDone(now)) stop.abort();
        },
      },
    );
    return { landed, status };
  }

  /** A restarted consumer tells of its last batch once more, so a test waits for the one that it means. */
  isIn(batch: CleanBatch) {
    return (landed: BatchRecord[]): boolean => landed.some((record) => record.batch === batch.batchId);
  }

  async landedOf(stream: PreparedStream, batchId: string): Promise<Landed> {
    const landed = await findLanded(this.deps, { stream: stream.stream, batchId });
    if (!landed) throw new Error(`batch ${batchId} has not landed`);
    return landed;
  }

  async commit(stream: PreparedStream, batchId: string): Promise<HourRecord> {
    const landed = await this.landedOf(stream, batchId);
    const content = { landed };
    return commitHour(this.deps, { stream: stream.stream, hour: labHour, rawSha: 'r', definitionSha: 'd', content });
  }

  async topicSize(topic: string): Promise<number> {
    const watermarks = await this.deps.kafka.watermarks(topic);
    return [...watermarks.values()].reduce((sum, { low, high }) => sum + Number(high - low), 0);
  }

  async manifestsOf(stream: PreparedStream): Promise<Manifest[]> {
    const found: Manifest[] = [];
    for await (const { key } of this.deps.store.list(`landing/${stream.stream}/_manifests/`)) {
      const manifest = await this.deps.store.findJson<Manifest>(key);
      if (manifest) found.push(manifest);
    }
    return found;
  }

  /** Publishes, lands, commits, indexes and reconciles one batch. */
  async landAndIndex(pipeline: Pipeline, stream: PreparedStream, batch: CleanBatch) {
    const published = await this.send(pipeline, stream, batch);
    if (!published.committedBefore) await this.consumeUntil(this.input(pipeline, stream), this.isIn(batch));
    const landed = await this.landedOf(stream, batch.batchId);
    const hourRecord = await this.commit(stream, batch.batchId);
    const indexed = await indexBatch(this.deps, { pipeline, prepared: stream, hourRecord, landed }, unattended);
    const given = { prepared: stream, hourRecord, batch, published, landed, indexed };
    return { hourRecord, indexed, published, equation: await reconcile(this.deps, given, unattended) };
  }

  /** Writes records as somebody else does. */
  async produce(
    topic: string,
    messages: {
      partition: number;
      value: string | Buffer | null;
      headers?: Record<string, string>;
      timestamp?: string;
    }[],
  ): Promise<void> {
    const producer = this.deps.kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  /** Moves the low watermark of a partition, as retention does. */
  async truncate(topic: string, partition: number, low: bigint): Promise<void> {
    await this.deps.kafka.admin('truncation', async (admin) => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(low) }] });
    });
  }
}
