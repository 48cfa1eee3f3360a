import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { failPoint } from '../../connectors/fail-point.ts';
import { waitingOn } from '../../connectors/meter.ts';
import type { LogRecord, LogWriter } from '../../connectors/log.ts';
import { countText } from '../../definition/amounts.ts';
import { durationMs } from '../../definition/duration.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum, PublishResult, Span } from '../../definition/refs.ts';
import { streamOf } from '../../definition/streams.ts';
import { readCleanCsv, type CleanRow } from '../cleaning/clean-csv.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import {
  addChecksums,
  emptyChecksum,
  identityHash,
  lanesOf,
  partitionOf,
  recordId,
  sameChecksum,
} from '../identity.ts';
import type { PublishInput } from '../io.ts';
import { newestBatchRecord } from '../landing/batch-record.ts';
import { markerHeaders, rowHeaders, type EndMarker } from '../record.ts';
import { valueEncoder } from '../record-value.ts';
import { generatorsOf } from './generate.ts';
import { planBatch, progressOf, type PartitionProgress, type PublishPlan } from './plan.ts';
import { SEND_BYTES, sizeOf } from './send-size.ts';

/** Holds no offset. */
const NOWHERE: Span = { first: '0', last: '-1' };

/**
 * Streams clean.csv into the topic: adds the generated fields, numbers the rows of each partition, and ends each partition with a
 * marker. Any attempt goes on where the log says that the last one stopped. Memory: `publish.batchRows` rows, at most 4 MiB, a
 * partition, and as many again on their way.
 *
 * @throws SluiceError `PublishInterrupted`, `KafkaUnavailable`, `StoreUnavailable` (worth a retry), `ObjectCorrupt`
 */
export async function publish(deps: StageDeps, input: PublishInput, ctx: StageContext): Promise<PublishResult> {
  const { pipeline, prepared, batch } = input;
  await mkdir(deps.settings.workDir, { recursive: true });
  const folder = await mkdtemp(join(deps.settings.workDir, 'publish-'));
  try {
    return await publishRows(
      deps,
      input,
      async function* () {
        const file = join(folder, 'clean.csv');
        await deps.store.download(batch.clean, file, ctx.signal);
        yield* readCleanCsv(createReadStream(file), streamOf(pipeline, prepared.dataset));
      },
      ctx,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** {@link publish} of rows from anywhere. They are asked for only where there is something to send. */
export async function publishRows(
  deps: Pick<StageDeps, 'store' | 'log'>,
  input: PublishInput,
  rows: () => AsyncIterable<readonly CleanRow[]>,
  ctx: StageContext,
): Promise<PublishResult> {
  const { prepared, batch } = input;
  const committed = await newestBatchRecord(deps.store, prepared.stream, batch.batchId);
  if (committed) {
    const { rows, checksum } = committed.record;
    return { batchId: batch.batchId, rows, checksum, resumedAfter: rows, committedBefore: true };
  }
  const { plan, fresh } = await planBatch(deps, prepared, input.hour, batch.batchId);
  const staleMs = durationMs(input.pipeline.land.abandonAfter) / 2;
  const progress = fresh ? notBegun(plan) : await progressOf(deps, prepared, plan, staleMs, ctx);
  await failPoint('publish:after-plan');
  const resumedAfter = progress.reduce((sum, part) => sum + part.sent, 0);
  const writer = await deps.log.writer(prepared.topic, input.pipeline.publish.compression);
  try {
    const sent = await new Publication(input, plan, progress, writer, ctx).run(rows());
    if (sent.rows !== batch.rows.clean || !sameChecksum(sent.checksum, batch.checksum)) {
      throw new SluiceError(
        'ObjectCorrupt',
        `${batch.clean.uri} gave ${sent.rows} rows where cleaning counted ${batch.rows.clean}, or other identities.`,
      );
    }
    return { batchId: batch.batchId, ...sent, resumedAfter, committedBefore: false };
  } finally {
    await writer.close();
  }
}

function notBegun(plan: PublishPlan): PartitionProgress[] {
  return Array.from({ length: plan.partitions }, () => ({ sent: 0, ended: false }));
}

/** One attempt at publishing a batch. */
class Publication {
  readonly #input: PublishInput;
  readonly #plan: PublishPlan;
  readonly #progress: readonly PartitionProgress[];
  readonly #writer: LogWriter;
  readonly #ctx: StageContext;
  readonly #parts: {
    pending: LogRecord[];
    bytes: number;
    rows: number;
    checksum: IdentityChecksum;
    span: Span | undefined;
    newest: number | undefined;
  }[];
  readonly #silenceMs: number;
  /** The send in flight, if any: there is one at a time. */
  #sending: Promise<void> = Promise.resolve();
  #sent = 0;
  readonly #startedAt = performance.now();

  constructor(
    input: PublishInput,
    plan: PublishPlan,
    progress: readonly PartitionProgress[],
    writer: LogWriter,
    ctx: StageContext,
  ) {
    this.#input = input;
    this.#plan = plan;
    this.#progress = progress;
    this.#writer = writer;
    this.#ctx = ctx;
    this.#parts = progress.map(({ span, newest }) => ({
      ...{ pending: [], bytes: 0, rows: 0, checksum: emptyChecksum, span, newest },
    }));
    this.#silenceMs = durationMs(input.pipeline.land.abandonAfter) * 0.75;
  }

  async run(source: AsyncIterable<readonly CleanRow[]>): Promise<Pick<PublishResult, 'rows' | 'checksum' | 'spans'>> {
    const { pipeline, hour, prepared } = this.#input;
    const stream = streamOf(pipeline, prepared.dataset);
    const encode = valueEncoder(stream.output, generatorsOf(stream, hour));
    try {
      for await (const rows of source) {
        for (const row of rows) {
          const id = recordId(row.id);
          const hash = identityHash(id);
          const partition = partitionOf(hash, this.#plan.partitions);
          const part = this.#parts[partition];
          const done = this.#progress[partition];
          if (!part || !done) throw new RangeError(`partition ${partition} is not in the plan`);
          const seq = part.rows;
          part.rows += 1;
          part.checksum = addChecksums(part.checksum, lanesOf(hash));
          if (done.ended || seq < done.sent) continue;
          const value = encode(id, row.values);
          part.pending.push({ key: id, value, headers: rowHeaders(this.#head(seq)) });
          part.bytes += sizeOf(id, value);
          if (part.pending.length >= pipeline.publish.batchRows || part.bytes >= SEND_BYTES)
            await this.#flush(partition);
        }
      }
      await this.#end();
    } finally {
      // Whoever closes the writer finds nothing on its way.
      await this.#sending.catch(() => {});
    }
    const rows = this.#parts.reduce((sum, part) => sum + part.rows, 0);
    const checksum = this.#parts.map((part) => part.checksum).reduce(addChecksums, emptyChecksum);
    // Of a partition that has landed already nothing is known here, nor asked.
    return { rows, checksum, spans: this.#parts.map(({ span }) => span ?? NOWHERE) };
  }

  #head(seq: number) {
    const { hour, prepared, batch } = this.#input;
    return { batch: batch.batchId, seq, epoch: this.#plan.epoch, schema: prepared.schema, hour };
  }

  /** Sends what waits in a partition once the send before it is through. Does not wait for its end: the next rows are made meanwhile. */
  async #flush(partition: number): Promise<void> {
    await this.#sending;
    this.#ctx.signal.throwIfAborted();
    const part = this.#parts[partition];
    if (!part) return;
    const records = part.pending;
    if (records.length === 0) return;
    part.pending = [];
    part.bytes = 0;
    this.#sending = this.#deliver(partition, records);
    // Whoever waits for it next is told.
    this.#sending.catch(() => {});
  }

  async #deliver(partition: number, records: readonly LogRecord[]): Promise<void> {
    await failPoint('publish:before-send');
    await this.#send(partition, records);
    await failPoint('publish:after-send');
    this.#sent += records.length;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rate = Math.round(this.#sent / seconds);
    this.#ctx.progress({
      rows: this.#sent,
      note: `sent ${countText(this.#sent)} of ${countText(this.#input.batch.rows.clean)} rows, ${countText(rate)} rows/s`,
    });
    const limit = this.#input.pipeline.publish.rowsPerSecond;
    const ahead = limit === undefined ? 0 : this.#sent / limit - seconds;
    if (ahead > 0) {
      await waitingOn('limit', () => wait(ahead * 1000, undefined, { signal: this.#ctx.signal }));
    }
  }

  async #send(partition: number, records: readonly LogRecord[]): Promise<void> {
    const part = this.#parts[partition];
    const now = Date.now();
    if (part?.newest !== undefined && now - part.newest > this.#silenceMs) throw this.#outOfDate(partition);
    const first = await this.#writer.send(partition, records);
    if (part) part.newest = now;
    const last = String(first + BigInt(records.length) - 1n);
    if (part) part.span = { first: part.span?.first ?? String(first), last };
  }

  /** Who stood still for that long cannot know any more that the consumer still waits for the next row. */
  #outOfDate(partition: number): SluiceError {
    const { prepared, batch } = this.#input;
    return new SluiceError(
      'PublishInterrupted',
      `Batch ${batch.batchId} has had no record in ${prepared.topic}, partition ${partition} for three quarters of land.abandonAfter. ` +
        'The next attempt reads from the topic how far it got.',
    );
  }

  /** The rest of every partition, then its marker: empty partitions get one too. */
  async #end(): Promise<void> {
    for (const [partition, part] of this.#parts.entries()) {
      if (this.#progress[partition]?.ended) continue;
      await this.#flush(partition);
      await this.#sending;
      const marker: EndMarker = {
        batch: this.#input.batch.batchId,
        rows: part.rows,
        checksum: part.checksum,
        partitions: this.#plan.partitions,
        workflowId: this.#input.workflowId,
      };
      await failPoint('publish:before-marker');
      const headers = markerHeaders(this.#head(part.rows));
      await this.#send(partition, [{ key: null, value: JSON.stringify(marker), headers }]);
      await failPoint('publish:after-marker');
    }
  }
}
