import { SluiceError } from '../../definition/errors.ts';
import type { BatchRecord } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { ReconcileInput } from '../io.ts';
import { SchemaRegistry } from '../landing/schema.ts';
import { indexedRows, type IndexedRows } from './indexed-rows.ts';
import { findTargets } from './targets.ts';

/**
 * The rows of an hour's batch that readers find behind the alias now, whichever index that is.
 * @throws SluiceError `IndexMismatch` where no index is there
 */
export async function indexedIn(
  deps: Pick<StageDeps, 'search' | 'store'>,
  { prepared, hourRecord }: Pick<ReconcileInput, 'prepared' | 'hourRecord'>,
  record: BatchRecord,
  { signal }: StageContext,
): Promise<IndexedRows> {
  const { standing } = await findTargets(deps.search, prepared.alias);
  if (!standing) throw new SluiceError('IndexMismatch', `There is no index behind ${prepared.alias} any more.`);
  const { hour, generation } = hourRecord;
  const content = { hour, generation, batch: record.batch };
  const schemaOf = () => new SchemaRegistry(deps.store, prepared.stream).get(record.schema);
  return indexedRows(deps, standing, content, record, schemaOf, { signal });
}
