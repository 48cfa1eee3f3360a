import type { BatchRecord, DataObject } from '../../definition/refs.ts';
import type { OutputColumn } from '../../definition/columns.ts';
import { decodeJsonLines } from '../../formats/json-lines.ts';
import { decodeParquet, type Row } from '../../formats/parquet.ts';
import type { StageDeps } from '../deps.ts';
import type { LandSchema } from '../landing/schema.ts';

/**
 * The landed rows of a batch, object by object, as its record names them. Memory: one object decoded.
 * @param columns those wanted, all where left out
 */
export async function* batchRows(
  { store }: Pick<StageDeps, 'store'>,
  record: BatchRecord,
  schema: LandSchema,
  signal: AbortSignal,
  columns: readonly OutputColumn[] = schema.columns,
): AsyncGenerator<{ readonly rows: readonly Row[]; readonly object: DataObject }> {
  for (const object of record.objects) {
    signal.throwIfAborted();
    const { key, sha256, bytes } = object;
    const content = await store.fetch({ uri: store.uri(key), sha256, bytes });
    const batches = schema.format === 'parquet' ? decodeParquet(columns, content) : decodeJsonLines(columns, content);
    for (const rows of batches) yield { rows, object };
  }
}
