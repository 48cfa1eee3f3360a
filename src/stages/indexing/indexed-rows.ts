import type { estypes } from '@elastic/elasticsearch';
import type { SearchConnector } from '../../connectors/search.ts';
import type { HourRecord, IdentityChecksum } from '../../definition/refs.ts';

/** The documents of an hour's generation, as a query. */
export function documentsOf(hour: HourRecord) {
  return {
    bool: {
      filter: [
        { term: { hour: hour.hour } },
        { term: { generation: hour.generation } },
        { term: { batch: hour.batch ?? '' } },
      ],
    },
  };
}

/** Counts the documents of an hour's generation, and sums up the lanes of their identities, from the index itself. */
export async function indexedRows(
  search: SearchConnector,
  index: string,
  hour: HourRecord,
): Promise<{ rows: number; checksum: IdentityChecksum }> {
  return search.request(`count in ${index}`, async (client) => {
    await client.indices.refresh({ index });
    const lane = (name: string) => ({ sum: { field: `sluice.${name}` } });
    const found = await client.search<unknown, Record<'a' | 'b' | 'c' | 'd', estypes.AggregationsSumAggregate>>({
      index,
      size: 0,
      track_total_hits: true,
      query: documentsOf(hour),
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
