import { failPoint } from '../../connectors/fail-point.ts';
import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { BatchRecord, IdentityChecksum } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { RECORD_COLUMN, type LandSchema, type SchemaRegistry } from '../landing/schema.ts';
import { batchRows } from './batch-rows.ts';
import { sendBulk, type BulkOperation } from './bulk-sender.ts';
import { DocumentMaker, type HourContent } from './documents.ts';
import { newestContent } from './hour-content.ts';
import { indexedRows, isWhole, type IndexedRows } from './indexed-rows.ts';
import { measuredBulk } from './measured-bulk.ts';
import { RejectedDocuments } from './rejected-documents.ts';
import { deleteOlderGenerations, markOwn, markVanished } from './stale-documents.ts';
import type { Target } from './targets.ts';

type Deps = Pick<StageDeps, 'search' | 'store' | 'settings' | 'metrics'>;

/** An hour that is to be in an index. */
export interface HourToIndex {
  readonly pipeline: Pipeline;
  readonly stream: string;
  readonly content: HourContent;
  /** The newest record of the batch. */
  readonly record: BatchRecord;
  readonly schemas: SchemaRegistry;
}

export interface IndexedHour {
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  /** Documents that were sent; 0 where all were there. */
  readonly sent: number;
  /** Of older generations of the hour, in `history`. */
  readonly deleted: number;
  /** Keys that are there no more, in `latest`. */
  readonly vanished: number;
  /** Values that did not fit the index's fields, by column. */
  readonly misfits: Readonly<Record<string, number>>;
}

/**
 * Puts one committed hour into one index, and proves from the index that it is there. Does nothing where it is.
 *
 * In `history` the hour's older generations are deleted then. In `latest` keys that the hour does not have are marked, if it is the
 * newest; if it is not, its own documents say from the start that they are not there any more, unless a newer hour writes them.
 * @throws SluiceError `DocumentsRefused`, `ElasticsearchUnavailable` (worth a retry), `ObjectCorrupt`
 */
export async function indexHour(
  deps: Deps,
  target: Target,
  hour: HourToIndex,
  ctx: StageContext,
): Promise<IndexedHour> {
  const { stream, content, record, schemas } = hour;
  const { search } = deps;
  const schemaOf = (): Promise<LandSchema> => schemas.get(record.schema);
  const counted = (untilMissing: boolean): Promise<IndexedRows> =>
    indexedRows(deps, target, content, record, schemaOf, { signal: ctx.signal, untilMissing });

  const isNewest = async (): Promise<boolean> =>
    target.mode === 'history' || (await newestContent(deps, stream))?.hour === content.hour;
  const newestBefore = await isNewest();
  let indexed = await counted(true);
  let sent = { documents: 0, misfits: {} };
  if (!isWhole(indexed, record)) {
    sent = await send(deps, target, hour, await schemaOf(), newestBefore, ctx);
    indexed = await counted(false);
  }
  if (!isWhole(indexed, record)) {
    throw new SluiceError(
      'ElasticsearchUnavailable',
      `Index ${target.index} holds ${indexed.rows} documents of batch ${record.batch} and should hold ${record.rows}; indexing again.`,
    );
  }
  const { rows, checksum } = indexed;
  const done = { rows, checksum, sent: sent.documents, deleted: 0, vanished: 0, misfits: sent.misfits };
  if (target.mode === 'history') {
    return { ...done, deleted: await deleteOlderGenerations(search, target, content, ctx) };
  }
  // Asked again: whoever was committed since the documents were written may have looked for them before they were there.
  const vanished = (await isNewest())
    ? await markVanished(search, target.index, content, ctx)
    : await markOwn(search, target.index, content, ctx);
  return { ...done, vanished };
}

async function send(
  deps: Deps,
  target: Target,
  hour: HourToIndex,
  schema: LandSchema,
  present: boolean,
  ctx: StageContext,
): Promise<{ documents: number; misfits: Readonly<Record<string, number>> }> {
  const { pipeline, stream, content, record } = hour;
  const maker = new DocumentMaker(content, schema, target, pipeline.dashboards);
  const operations = async function* (): AsyncGenerator<BulkOperation> {
    for await (const { rows, object } of batchRows(deps, record, schema, ctx.signal)) {
      for (const row of rows) {
        const { id, version, body } = maker.documentOf(row, present);
        yield {
          action: `{"index":{"_id":"${id}","version":${version},"version_type":"external_gte"}}`,
          document: JSON.stringify(body),
          origin: { record: String(row[RECORD_COLUMN]), object: object.key },
        };
      }
      await failPoint('index:after-object');
    }
  };
  const rejected = new RejectedDocuments(deps, target.index);
  try {
    const { written, newer } = await sendBulk(deps.search, target.index, operations(), ctx, {
      refused: (refusal) => rejected.add(refusal),
      requested: measuredBulk(deps.metrics, stream),
      done: (documents) =>
        ctx.progress({ rows: documents, note: `indexed ${countText(documents)} of ${countText(record.rows)}` }),
    });
    await failPoint('index:after-bulk');
    await rejected.settle(stream, content);
    return { documents: written + newer, misfits: maker.misfits };
  } finally {
    await rejected.close();
  }
}
