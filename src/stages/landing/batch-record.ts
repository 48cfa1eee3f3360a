import { failPoint } from '../../connectors/fail-point.ts';
import type { Store } from '../../connectors/object-store.ts';
import { SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { BatchRecord, DataObject, IdentityChecksum, ObjectRef } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { addChecksums, emptyChecksum, sameChecksum } from '../identity.ts';
import type { Landed, LandedInput } from '../io.ts';
import type { ManifestChain } from './chain.ts';
import { lossOf, passedBy, type AcceptedLoss } from './losses.ts';
import type { EndedBatch } from './manifest.ts';
import type { LandSchema } from './schema.ts';

/** One partition of a batch, landed: written when its end marker is in a manifest, gathered into the batch record. */
export interface BatchPart {
  readonly batch: string;
  readonly epoch: string;
  readonly partition: number;
  readonly ended: EndedBatch;
  readonly objects: readonly DataObject[];
}

/** Stores what one partition holds of a batch that has ended there: its objects from every manifest since the batch began. */
export async function storePart(
  store: Store,
  stream: string,
  chain: ManifestChain,
  batch: string,
  ended: EndedBatch,
): Promise<void> {
  const head = chain.head;
  if (!head) throw new RangeError('a chain without a head has no ended batch');
  const objects = (await chain.since(ended.firstChunk)).flatMap((manifest) =>
    manifest.objects.filter((object) => object.batch === batch).map(({ batch: _batch, ...object }) => object),
  );
  const rows = objects.reduce((sum, object) => sum + object.rows, 0);
  const checksum = sumOf(objects.map((object) => object.checksum));
  if (rows !== ended.rows || !sameChecksum(checksum, ended.checksum)) {
    throw new SluiceError(
      'RowsUnaccounted',
      `Batch ${batch}, partition ${head.partition}: its manifests hold ${rows} rows and its end marker counts ${ended.rows}, ` +
        'or the checksums of their identities differ.',
    );
  }
  const part: BatchPart = { batch, epoch: head.epoch, partition: head.partition, ended, objects };
  await store.createJson(keys.part(stream, batch, head.epoch, head.partition), part);
}

/** Whether the rows of a batch in one partition have been landed before: by its part, or by the batch's own record. */
export async function isLanded(
  store: Store,
  stream: string,
  batch: string,
  epoch: string,
  partition: number,
): Promise<boolean> {
  if (await store.exists(keys.part(stream, batch, epoch, partition))) return true;
  return store.exists(keys.batchRecord(stream, batch, 1));
}

/**
 * Writes the record of a batch once the parts of all its partitions are there.
 * @returns the record and who waits for it, or undefined while parts are missing
 */
export async function commitBatch(
  store: Store,
  stream: string,
  batch: string,
  epoch: string,
  schema: LandSchema,
): Promise<{ record: BatchRecord; workflowIds: string[] } | undefined> {
  const parts: BatchPart[] = [];
  for await (const { key } of store.list(keys.parts(stream, batch, epoch))) {
    const part = await store.findJson<BatchPart>(key);
    if (part) parts.push(part);
  }
  const one = parts[0];
  if (!one || parts.length < one.ended.partitions) return undefined;
  const record: BatchRecord = {
    batch,
    version: 1,
    stream,
    hour: one.ended.hour,
    epoch,
    schema: schema.version,
    format: schema.format,
    rows: parts.reduce((sum, part) => sum + part.ended.rows, 0),
    checksum: sumOf(parts.map((part) => part.ended.checksum)),
    objects: parts.flatMap((part) => part.objects),
  };
  const { value } = await store.createJson(keys.batchRecord(stream, batch, 1), record);
  await failPoint('land:after-batch-record');
  return { record: value, workflowIds: [...new Set(parts.map((part) => part.ended.workflowId))] };
}

/** The newest version of a batch's record, with the key it stands under. */
export async function newestBatchRecord(
  store: Store,
  stream: string,
  batch: string,
): Promise<{ record: BatchRecord; ref: ObjectRef } | undefined> {
  const key = await store.lastKey(keys.batches(stream, batch));
  const bytes = key === undefined ? undefined : await store.find(key);
  if (key === undefined || !bytes) return undefined;
  const record = JSON.parse(bytes.toString()) as BatchRecord;
  return { record, ref: { uri: store.uri(key), sha256: sha256Hex(bytes), bytes: bytes.length, rows: record.rows } };
}

/**
 * The record of a landed batch to read its objects by: the newest version, since an older one's are there for a day only after it was
 * superseded. All versions hold the same rows.
 * @throws SluiceError `ObjectCorrupt` where the record is gone
 */
export async function recordToRead(store: Store, stream: string, batch: string): Promise<BatchRecord> {
  const newest = await newestBatchRecord(store, stream, batch);
  if (newest) return newest.record;
  throw new SluiceError('ObjectCorrupt', `The record of batch ${batch} of ${stream} should be there and is not.`);
}

/**
 * Whether a batch has landed: a fact read from the store, whoever missed the signal.
 * @throws SluiceError `RowsUnaccounted` where rows of it are among those that a person gave up, or the consumer has passed it by
 */
export async function findLanded(deps: Pick<StageDeps, 'store'>, input: LandedInput): Promise<Landed | undefined> {
  const { stream, batchId, published } = input;
  const newest = await newestBatchRecord(deps.store, stream, batchId);
  if (!newest) {
    const loss = published && (await lossOf(deps.store, stream, { id: batchId, ...published }));
    if (loss) throw givenUp(stream, batchId, loss);
    const partition = published && (await passedBy(deps.store, stream, { id: batchId, ...published }));
    if (partition === undefined) return undefined;
    throw new SluiceError(
      'RowsUnaccounted',
      `Batch ${batchId} of ${stream} was passed by in partition ${partition}: the consumer is behind its last row, and has dropped it. ` +
        'Run the hour again, and it is published anew.',
      { facts: { batch: batchId, partition } },
    );
  }
  const { record, ref } = newest;
  return {
    batch: record.batch,
    version: record.version,
    record: ref,
    rows: record.rows,
    checksum: record.checksum,
    objects: record.objects.length,
  };
}

function givenUp(
  stream: string,
  batch: string,
  { partition, first, last, reason, acceptedAt }: AcceptedLoss,
): SluiceError {
  const at = new Date(acceptedAt).toISOString();
  return new SluiceError(
    'RowsUnaccounted',
    `Rows of batch ${batch} of ${stream} are lost: offsets ${first} to ${last} of partition ${partition} were given up at ${at} ` +
      `("${reason}"). Run the hour again, and it is published anew.`,
    { facts: { batch, partition, first, last } },
  );
}

function sumOf(checksums: readonly IdentityChecksum[]): IdentityChecksum {
  return checksums.reduce(addChecksums, emptyChecksum);
}
