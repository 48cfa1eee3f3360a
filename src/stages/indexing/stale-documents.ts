import type { estypes } from '@elastic/elasticsearch';
import type { SearchConnector } from '../../connectors/search.ts';
import type { StageContext } from '../deps.ts';
import { sendBulk, type BulkOperation } from './bulk-sender.ts';
import { documentVersion, type HourContent } from './documents.ts';
import { documentsOf } from './indexed-rows.ts';
import type { Target } from './targets.ts';

const DELETE_PAGE = 5_000;
/** Whole documents are read, so fewer at once. */
const REWRITE_PAGE = 1_000;

type Hit = estypes.SearchHit<Record<string, unknown>>;

/**
 * Deletes the documents of an hour's older generations, once the newest one is complete or the hour is removed. By search and bulk, since slim servers have no
 * delete-by-query; each delete carries our version, so that a document written again meanwhile stays.
 * @returns how many were deleted
 */
export async function deleteOlderGenerations(
  search: SearchConnector,
  { index, mode }: Pick<Target, 'index' | 'mode'>,
  { hour, generation }: Pick<HourContent, 'hour' | 'generation'>,
  ctx: StageContext,
): Promise<number> {
  const query = { bool: { filter: [{ term: { hour } }, { range: { generation: { lt: generation } } }] } };
  const version = documentVersion({ hour, generation }, mode);
  return eachPage(search, index, query, DELETE_PAGE, ctx, 'deleted documents of older generations', ({ _id }) => ({
    action: JSON.stringify({ delete: { _id, version, version_type: 'external_gte' } }),
  }));
}

/**
 * Says of each key that the newest hour does not have that it is there no more, in `latest`. The document stays as the last hour that
 * had the key wrote it.
 * @param newest the newest committed hour, whose rows are in the index
 * @returns how many were marked
 */
export async function markVanished(
  search: SearchConnector,
  index: string,
  newest: HourContent,
  ctx: StageContext,
): Promise<number> {
  const { hour, generation } = newest;
  // Not those of an hour that is newer still: it may be writing them at this moment.
  const older = [
    { range: { hour: { lt: hour } } },
    { bool: { filter: [{ term: { hour } }, { range: { generation: { lte: generation } } }] } },
  ];
  const filter = [{ term: { present: true } }, { bool: { should: older, minimum_should_match: 1 } }];
  return markGone(search, index, { bool: { filter, must_not: [documentsOf(newest)] } }, ctx);
}

/** Says of an hour's own documents that their keys are there no more: a newer hour was committed while they were written. */
export async function markOwn(
  search: SearchConnector,
  index: string,
  content: HourContent,
  ctx: StageContext,
): Promise<number> {
  return markGone(search, index, { bool: { filter: [{ term: { present: true } }, documentsOf(content)] } }, ctx);
}

async function markGone(
  search: SearchConnector,
  index: string,
  query: { bool: estypes.QueryDslBoolQuery },
  ctx: StageContext,
): Promise<number> {
  return eachPage(search, index, query, REWRITE_PAGE, ctx, 'marked keys that vanished', ({ _id, _source }) => {
    const { hour, generation } = _source as unknown as HourContent;
    // Greater by one than what was read: a document that was written again since is left alone.
    const version = documentVersion({ hour, generation }, 'latest', false);
    return {
      action: JSON.stringify({ index: { _id, version, version_type: 'external_gte' } }),
      document: JSON.stringify({ ..._source, present: false }),
    };
  });
}

/** Sends an operation for each document that a query finds, until it finds none. @returns how many were done */
export async function eachPage(
  search: SearchConnector,
  index: string,
  query: { bool: estypes.QueryDslBoolQuery },
  size: number,
  ctx: StageContext,
  what: string,
  operationOf: (hit: Hit) => BulkOperation,
): Promise<number> {
  let done = 0;
  for (;;) {
    ctx.signal.throwIfAborted();
    const hits = await search.request(`${what} in ${index}`, async (client) => {
      await client.indices.refresh({ index });
      const found = await client.search<Record<string, unknown>>({ index, size, sort: ['_doc'], query });
      return found.hits.hits;
    });
    if (hits.length === 0) return done;
    const { written } = await sendBulk(search, index, hits.map(operationOf), ctx);
    done += written;
    ctx.progress({ note: `${what}: ${done}` });
    // A page of which nothing could be done has been written anew by a newer generation.
    if (written === 0) return done;
  }
}
