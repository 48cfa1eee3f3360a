import type { SearchConnector } from '../../connectors/search.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageContext } from '../deps.ts';
import { documentVersion } from './documents.ts';

const PAGE = 5_000;

/**
 * Deletes the documents of an hour's older generations, once the newest one is complete. By search and bulk, since slim servers have no
 * delete-by-query; each delete carries our version, so that a document written again meanwhile stays.
 * @returns how many were deleted
 */
export async function deleteOlderGenerations(
  search: SearchConnector,
  index: string,
  hour: HourRecord,
  ctx: StageContext,
): Promise<number> {
  const query = {
    bool: { filter: [{ term: { hour: hour.hour } }, { range: { generation: { lt: hour.generation } } }] },
  };
  let deleted = 0;
  for (;;) {
    ctx.signal.throwIfAborted();
    const ids = await search.request(`older generations in ${index}`, async (client) => {
      const found = await client.search({ index, size: PAGE, _source: false, sort: ['_doc'], query });
      return found.hits.hits.map((hit) => hit._id).filter((id) => id !== undefined);
    });
    if (ids.length === 0) return deleted;
    const gone = await search.request(`deletes in ${index}`, async (client) => {
      const answer = await client.bulk({
        refresh: true,
        operations: ids.map((id) => ({
          delete: { _index: index, _id: id, version: documentVersion(hour), version_type: 'external_gte' as const },
        })),
      });
      return answer.items.filter((item) => item.delete?.result === 'deleted').length;
    });
    deleted += gone;
    ctx.progress({ note: `deleted ${deleted} documents of older generations` });
    // A page of which nothing could be deleted has been written anew by a newer generation.
    if (gone === 0) return deleted;
  }
}
