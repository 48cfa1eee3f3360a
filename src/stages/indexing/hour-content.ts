import type { HourRecord } from '../../definition/refs.ts';
import { keys } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import { newestHours } from '../landing/committed-hours.ts';
import type { HourContent, IndexMode } from './documents.ts';

type Store = Pick<StageDeps, 'store'>;

/**
 * What is to be in an index, hour by hour, ascending, from the records of all committed hours.
 *
 * An hour that repeats another has no documents of its own. In `latest` it has where an hour came in between the two, later: then the
 * hour that it repeats is no longer the newest that says what its rows are.
 */
export function contentOf(records: readonly HourRecord[], mode: IndexMode): HourContent[] {
  const batches = new Map<string, string>();
  const found: HourContent[] = [];
  for (const { hour, generation, batch: own, sameAs } of records) {
    const batch = own ?? batches.get(sameAs ?? '');
    if (batch === undefined) continue;
    batches.set(hour, batch);
    if (own !== undefined) found.push({ hour, generation, batch });
    else if (mode === 'latest' && sameAs !== undefined && found.at(-1)?.batch !== batch)
      found.push({ hour, generation, batch, sameAs });
  }
  return found;
}

/** The hour that says which keys there are in `latest`; undefined before the first. */
export async function newestContent(deps: Store, stream: string): Promise<HourContent | undefined> {
  const key = await deps.store.lastKey(keys.hoursAll(stream));
  const record = key === undefined ? undefined : await deps.store.findJson<HourRecord>(key);
  if (record?.batch !== undefined) {
    const { hour, generation, batch } = record;
    return { hour, generation, batch };
  }
  return record && contentOf(await newestHours(deps, stream), 'latest').at(-1);
}
