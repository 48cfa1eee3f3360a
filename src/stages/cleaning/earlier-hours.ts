import { join } from 'node:path';
import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { HourRecord, SeenHours } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';

type Store = Pick<StageDeps, 'store'>;

/** The committed hours below an hour, ascending: of each its record of the highest generation. */
export async function committedHours(deps: Store, pipeline: string, below: LogicalHour): Promise<HourRecord[]> {
  const prefix = keys.hoursAll(streamName(pipeline, mainDataset));
  const end = prefix + hourKey(below);
  const newest = new Map<string, string>();
  // Generations are zero-padded, so the last key of an hour is its highest.
  for await (const { key } of deps.store.list(prefix)) {
    if (key >= end) break;
    newest.set(key.slice(prefix.length).split('/')[0] ?? '', key);
  }
  const records: HourRecord[] = [];
  for (const key of newest.values()) {
    const record = await deps.store.findJson<HourRecord>(key);
    if (record) records.push(record);
  }
  return records;
}

/** What a run compared its keys with: as many hours, in these generations. */
export function seenHours(records: readonly HourRecord[]): SeenHours {
  const list = records.map(({ hour, generation }) => `${hour}#${generation}`);
  return { hours: records.length, sha256: sha256Hex(list.join('\n')) };
}

/** Whether an hour that took out the keys of earlier ones would find others now: one of them has been replaced or added. */
export async function isStale(deps: Store, pipeline: string, record: HourRecord): Promise<boolean> {
  if (!record.seen) return false;
  return seenHours(await committedHours(deps, pipeline, record.hour)).sha256 !== record.seen.sha256;
}

/** Brings the clean.csv of each of these hours here. An hour that repeats another has none of its own. @returns the paths */
export async function fetchClean(
  { store }: Store,
  pipeline: string,
  records: readonly HourRecord[],
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const stream = streamName(pipeline, mainDataset);
  const paths: string[] = [];
  for (const { hour, batch } of records) {
    if (batch === undefined) continue;
    const key = keys.batch(stream, hour, batch, 'clean.csv');
    const path = join(folder, `earlier-${paths.length}.csv`);
    await store.copyTo(key, path, signal);
    paths.push(path);
  }
  return paths;
}
