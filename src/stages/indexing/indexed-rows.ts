import type { estypes } from '@elastic/elasticsearch';
import type { SearchConnector } from '../../connectors/search.ts';
import type { BatchRecord, IdentityChecksum } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, sameChecksum } from '../identity.ts';
import { RECORD_COLUMN, type LandSchema } from '../landing/schema.ts';
import { batchRows } from './batch-rows.ts';
import { documentId, documentVersion, type HourContent } from './documents.ts';
import type { Target } from './targets.ts';

const PAGE = 5_000;

export interface IndexedRows {
  readonly rows: number;
  readonly checksum: IdentityChecksum;
}

/** Whether an index holds all rows of a batch, and no others. */
export function isWhole(indexed: IndexedRows, record: Pick<BatchRecord, 'rows' | 'checksum'>): boolean {
  return indexed.rows === record.rows && sameChecksum(indexed.checksum, record.checksum);
}

/**
 * Counts the rows of an hour that an index holds, and sums up the lanes of their identities, from the index itself. In `latest` a row
 * counts as held where its key has the hour's version or a newer one: an older hour that comes late finds newer documents there.
 * @param untilMissing stop at the first page of ids of which one is not there
 */
export async function indexedRows(
  deps: Pick<StageDeps, 'search' | 'store'>,
  target: Target,
  content: HourContent,
  record: BatchRecord,
  schemaOf: () => Promise<LandSchema>,
  { signal, untilMissing = false }: { readonly signal: AbortSignal; readonly untilMissing?: boolean },
): Promise<IndexedRows> {
  const counted = await countedRows(deps.search, target.index, content);
  if (target.mode === 'history' || isWhole(counted, record)) return counted;
  const schema = await schemaOf();
  const least = documentVersion(content, 'latest');
  const only = schema.columns.filter(({ name }) => name === RECORD_COLUMN);
  let rows = 0;
  let checksum = emptyChecksum;
  for await (const batch of batchRows(deps, record, schema, signal, only)) {
    for (let at = 0; at < batch.rows.length; at += PAGE) {
      const records = batch.rows.slice(at, at + PAGE).map((row) => String(row[RECORD_COLUMN]));
      const held = await heldRecords(deps.search, target.index, content, records, least);
      rows += held.length;
      checksum = held.map((one) => lanesOf(identityHash(one))).reduce(addChecksums, checksum);
      if (untilMissing && held.length < records.length) return { rows, checksum };
    }
  }
  return { rows, checksum };
}

/** The documents of an hour's generation, as a query. */
export function documentsOf({ hour, generation, batch }: HourContent): { bool: estypes.QueryDslBoolQuery } {
  return { bool: { filter: [{ term: { hour } }, { term: { generation } }, { term: { batch } }] } };
}

async function countedRows(search: SearchConnector, index: string, content: HourContent): Promise<IndexedRows> {
  return search.request(`count in ${index}`, async (client) => {
    await client.indices.refresh({ index });
    const lane = (name: string) => ({ sum: { field: `sluice.${name}` } });
    const found = await client.search<unknown, Record<'a' | 'b' | 'c' | 'd', estypes.AggregationsSumAggregate>>({
      index,
      size: 0,
      track_total_hits: true,
      query: documentsOf(content),
      aggs: { a: lane('a'), b: lane('b'), c: lane('c'), d: lane('d') },
    });
    const { total } = found.hits;
    const sums = found.aggregations;
    return {
      rows: typeof total === 'number' ? total : (total?.value ?? 0),
      checksum: [sums?.a.value ?? 0, sums?.b.value ?? 0, sums?.c.value ?? 0, sums?.d.value ?? 0],
    };
  });
}

/** Of these records, those whose document has this version at least. */
async function heldRecords(
  search: SearchConnector,
  index: string,
  { hour }: HourContent,
  records: readonly string[],
  least: number,
): Promise<string[]> {
  const found = await search.request(`documents of ${index}`, (client) =>
    client.mget({ index, ids: records.map((record) => documentId('latest', hour, record)), _source: false }),
  );
  return records.filter((_, at) => {
    const document = found.docs[at];
    return document !== undefined && 'found' in document && document.found && (document._version ?? 0) >= least;
  });
}
