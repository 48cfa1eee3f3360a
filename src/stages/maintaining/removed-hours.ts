import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import { listHours, readHours, type ListedHour } from '../landing/committed-hours.ts';
import type { Sweep } from './sweep.ts';

type Store = Pick<StageDeps, 'store'>;

const WHAT = 'objects of hours that are not kept';

/** The hours of a stream that retention removed before this moment: no record of theirs can be committed any more. */
export async function removedHours(
  deps: Store,
  stream: string,
  before: number,
): Promise<ReadonlyMap<LogicalHour, ListedHour>> {
  const old = (await listHours(deps, stream)).filter(({ writtenAt }) => writtenAt < before);
  const removed = (await readHours(deps, old)).filter(({ record }) => record.removed !== undefined);
  return new Map(removed.map((hour) => [hour.hour, hour]));
}

/**
 * Takes away what names the objects of a batch of a removed hour: parts, then records, as a late consumer would make a record of parts.
 * The objects go after it: they are found without being named, a record without objects is not.
 */
export async function sweepBatch({ store }: Store, stream: string, batch: string, sweep: Sweep): Promise<void> {
  for (const prefix of [keys.partsAll(stream, batch), keys.batches(stream, batch)]) {
    for await (const object of store.list(prefix)) await sweep.take(WHAT, object);
    await sweep.flush();
  }
}

/**
 * Takes away what is left of removed hours but the record that says so: batches that had no objects, and everything of their runs.
 * @param swept batches of these hours that have been taken away
 */
export async function sweepRemovedHours(
  deps: Store,
  pipeline: string,
  stream: string,
  removed: ReadonlyMap<LogicalHour, ListedHour>,
  swept: ReadonlySet<string>,
  sweep: Sweep,
): Promise<void> {
  if (removed.size === 0) return;
  const { store } = deps;
  const folders = new Map([...removed.keys()].map((hour) => [hourKey(hour), hour]));
  const prefix = keys.runs(stream);
  const ofRuns: { key: string; bytes: number }[] = [];
  const batches = new Set<string>();
  for await (const object of store.list(prefix)) {
    const [hour = '', place, batch] = object.key.slice(prefix.length).split('/');
    if (!folders.has(hour)) continue;
    ofRuns.push(object);
    if (place === 'batches' && batch !== undefined) batches.add(batch);
  }
  for (const batch of batches) if (!swept.has(batch)) await sweepBatch(deps, stream, batch, sweep);
  for (const { older } of removed.values()) for (const object of older) await sweep.take(WHAT, object);
  if (stream === pipeline) {
    for (const prefix of [keys.quarantines(pipeline), keys.watched(pipeline)])
      await sweepHourFiles(store, prefix, folders, sweep);
  }
  await sweep.flush();
  // Last: they say which batches the hours had.
  for (const object of ofRuns) await sweep.take(WHAT, object);
  await sweep.flush();
}

/** What stands beside the runs, a file an hour. */
async function sweepHourFiles(
  store: Store['store'],
  prefix: string,
  folders: ReadonlyMap<string, LogicalHour>,
  sweep: Sweep,
): Promise<void> {
  for await (const object of store.list(prefix)) {
    if (folders.has(object.key.slice(prefix.length).replace('.json', ''))) await sweep.take(WHAT, object);
  }
}
