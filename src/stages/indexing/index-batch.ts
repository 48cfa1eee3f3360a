import { errors } from '@elastic/elasticsearch';
import { SluiceError } from '../../definition/errors.ts';
import type { BatchRecord, DataObject, IndexResult } from '../../definition/refs.ts';
import { streamOf } from '../../definition/streams.ts';
import { decodeJsonLines } from '../../formats/json-lines.ts';
import { decodeParquet, type Row } from '../../formats/parquet.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { sameChecksum } from '../identity.ts';
import type { IndexInput } from '../io.ts';
import { recordToRead } from '../landing/batch-record.ts';
import { newestHour } from '../landing/hour-record.ts';
import { SchemaRegistry, type LandSchema } from '../landing/schema.ts';
import { documentOf, documentVersion, type IndexedDocument } from './documents.ts';
import { indexedRows } from './indexed-rows.ts';
import { hasLocation } from './mapping.ts';
import { deleteOlderGenerations } from './stale-documents.ts';

const FLUSH_BYTES = 2_000_000;
/** More than two at once gained nothing on a small server, and take its memory. */
const CONCURRENCY = 2;

/**
 * Indexes a committed batch from its data objects. Done only when the index itself counts the batch's rows with their checksum;
 * then the hour's older generations are deleted.
 *
 * @throws SluiceError `DocumentsRefused` where the index will not take a document, `ElasticsearchUnavailable` (worth a retry)
 */
export async function indexBatch(deps: StageDeps, input: IndexInput, ctx: StageContext): Promise<IndexResult> {
  const { prepared, landed, hourRecord } = input;
  const record = await recordToRead(deps.store, prepared.stream, landed.batch);
  const schema = await new SchemaRegistry(deps.store, prepared.stream).get(record.schema);
  const before = await indexedRows(deps.search, prepared.index, hourRecord);
  if (before.rows !== record.rows || !sameChecksum(before.checksum, record.checksum)) {
    await refuseSuperseded(deps, input);
    await bulk(deps, input, documents(deps, input, record, schema, ctx), ctx);
  }
  const { rows, checksum } = await indexedRows(deps.search, prepared.index, hourRecord);
  if (rows !== record.rows || !sameChecksum(checksum, record.checksum)) {
    throw new SluiceError(
      'ElasticsearchUnavailable',
      `Index ${prepared.index} holds ${rows} documents of batch ${record.batch} and should hold ${record.rows}; indexing again.`,
    );
  }
  const deleted = await deleteOlderGenerations(deps.search, prepared.index, hourRecord, ctx);
  return { dataset: prepared.dataset, index: prepared.index, indexed: rows, checksum, deleted };
}

/** A worker that comes back late must not index what the hour no longer consists of. */
async function refuseSuperseded(deps: StageDeps, { prepared, hourRecord }: IndexInput): Promise<void> {
  const newest = await newestHour(deps, prepared.stream, hourRecord.hour);
  if (!newest || newest.generation === hourRecord.generation) return;
  throw new SluiceError(
    'RecordConflict',
    `Generation ${hourRecord.generation} of ${hourRecord.hour} was superseded by ${newest.generation} before it was indexed.`,
  );
}

async function* documents(
  deps: StageDeps,
  { pipeline, prepared, hourRecord }: IndexInput,
  record: BatchRecord,
  schema: LandSchema,
  ctx: StageContext,
): AsyncGenerator<IndexedDocument> {
  const stream = streamOf(pipeline, prepared.dataset);
  const location = hasLocation(stream, pipeline.dashboards) ? pipeline.dashboards.location : undefined;
  let rows = 0;
  for (const object of record.objects) {
    ctx.signal.throwIfAborted();
    for (const rows of await rowsOf(deps, schema, object)) {
      for (const row of rows) yield documentOf(row, schema.output, hourRecord, location);
    }
    rows += object.rows;
    ctx.progress({ rows, note: `indexed ${rows} of ${record.rows}` });
  }
}

async function rowsOf(deps: StageDeps, schema: LandSchema, object: DataObject): Promise<Iterable<Row[]>> {
  const { key, sha256, bytes } = object;
  const content = await deps.store.fetch({ uri: deps.store.uri(key), sha256, bytes });
  return schema.format === 'parquet'
    ? decodeParquet(schema.columns, content)
    : decodeJsonLines(schema.columns, content);
}

/** `helpers.bulk` resolves even when documents were refused, so what it dropped is looked at one by one. */
async function bulk(
  deps: StageDeps,
  { prepared, hourRecord }: IndexInput,
  datasource: AsyncGenerator<IndexedDocument>,
  ctx: StageContext,
): Promise<void> {
  const version = documentVersion(hourRecord);
  const refused: { status: number; reason: string }[] = [];
  let overloaded = 0;
  let newer = 0;
  const running = deps.search.client.helpers.bulk<IndexedDocument>({
    datasource,
    flushBytes: FLUSH_BYTES,
    concurrency: CONCURRENCY,
    retries: 5,
    wait: 1_000,
    onDocument: ({ id, body }) => [
      { index: { _index: prepared.index, _id: id, version, version_type: 'external_gte' } },
      body as unknown as IndexedDocument,
    ],
    onDrop: ({ status, error }) => {
      if (status === 409) newer += 1;
      else if (status === 429 || status >= 500) overloaded += 1;
      else refused.push({ status, reason: `${error?.type ?? ''} ${error?.reason ?? ''}`.trim() });
    },
  });
  const stop = (): void => {
    void running.abort();
  };
  ctx.signal.addEventListener('abort', stop, { once: true });
  try {
    await deps.search.request(`bulk into ${prepared.index}`, async () => {
      try {
        await running;
      } catch (error) {
        // A fault of our own source (a corrupt object, a cancellation) is no fault of the server.
        if (error instanceof errors.ElasticsearchClientError && error.cause instanceof SluiceError) throw error.cause;
        throw error;
      }
    });
  } finally {
    ctx.signal.removeEventListener('abort', stop);
  }
  ctx.signal.throwIfAborted();
  const first = refused[0];
  if (first) {
    throw new SluiceError(
      'DocumentsRefused',
      `Index ${prepared.index} refused ${refused.length} documents; the first with ${first.status} ${first.reason}. ` +
        'The rows are landed: mend the columns’ types or the mapping, and run the hour again.',
    );
  }
  if (overloaded > 0 || newer > 0) {
    throw new SluiceError(
      'ElasticsearchUnavailable',
      `Index ${prepared.index} did not take ${overloaded} documents for overload, and holds newer versions of ${newer}.`,
    );
  }
}
