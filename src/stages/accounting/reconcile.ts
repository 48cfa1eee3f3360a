import type { BatchRecord, Equation } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { addChecksums, emptyChecksum } from '../identity.ts';
import { indexedIn } from '../indexing/indexed-in.ts';
import type { ReconcileInput } from '../io.ts';
import { equationOf } from './equation.ts';
import { publishedRows } from './published-rows.ts';

/**
 * Makes the row equation of one data set: what is published is counted in the topic for as long as it holds the batch, what is landed is
 * summed up anew from the objects that the record names, what is indexed is asked of the index.
 */
export async function reconcile(deps: StageDeps, input: ReconcileInput, ctx: StageContext): Promise<Equation> {
  const { prepared, batch, published, landed } = input;
  ctx.progress({ note: `reconciling ${prepared.dataset}` });
  const record = JSON.parse((await deps.store.fetch(landed.record)).toString()) as BatchRecord;
  const objects = record.objects;
  const { countedIn, ...inTopic } = await publishedRows(deps, prepared, published, ctx);
  const indexed = await indexedIn(deps, input, record, ctx);
  const equation = equationOf(prepared.dataset, batch.rows, [
    { name: 'clean', rows: batch.rows.clean, checksum: batch.checksum },
    { name: 'published', ...inTopic },
    {
      name: 'landed',
      rows: objects.reduce((sum, object) => sum + object.rows, 0),
      checksum: objects.map((object) => object.checksum).reduce(addChecksums, emptyChecksum),
    },
    { name: 'indexed', ...indexed },
  ]);
  return { ...equation, publishedCountedIn: countedIn };
}
