import { countText } from '../../definition/amounts.ts';
import { keys } from '../../definition/names.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { BatchStates, noChain } from './batch-states.ts';
import type { Manifest } from '../landing/manifest.ts';
import { parseDataFile, parseForeignFile } from './data-file.ts';
import { GRACE_MS, storeNow } from './grace.ts';
import { collectImports, collectParsed } from './import-garbage.ts';
import { garbageOf } from './reachable.ts';
import { removedHours, sweepBatch, sweepRemovedHours } from './removed-hours.ts';
import { Sweep } from './sweep.ts';
import type { Tally } from './tally.ts';

export interface GarbageInput {
  readonly pipeline: string;
  /** Its data sets: the streams' names. */
  readonly streams: readonly string[];
  readonly dryRun: boolean;
}

export interface GarbageReport {
  readonly tallies: readonly Tally[];
}

/**
 * Removes what no record of a pipeline reaches after a day of grace: data objects that nothing names and nothing can name any more,
 * objects of older versions of batch records, all that is left of hours that retention removed, files and parsed objects that no
 * import record names, temporary objects. Two at once, or one that was killed and begun again, remove the same.
 *
 * Batches that landed stay as long as their hour, whether or not a record of the hour names them: the next run of the hour may come to
 * the same rows, find them landed, and name them.
 * @param now milliseconds since 1970; the store's clock where left out
 */
export async function collectGarbage(
  deps: Pick<StageDeps, 'store'>,
  { pipeline, streams, dryRun }: GarbageInput,
  ctx: StageContext,
  now?: number,
): Promise<GarbageReport> {
  const { store } = deps;
  const graceBegan = (now ?? (dryRun ? Date.now() : await storeNow(store))) - GRACE_MS;
  const sweep = new Sweep(store, dryRun, ctx);
  for (const stream of streams) {
    ctx.signal.throwIfAborted();
    ctx.progress({ note: `looks through ${stream}` });
    const removed = await removedHours(deps, stream, graceBegan);
    const batches = await collectData(deps, stream, new Set(removed.keys()), sweep, graceBegan, ctx);
    await sweepRemovedHours(deps, pipeline, stream, removed, batches, sweep);
  }
  ctx.progress({ note: 'looks through what was imported' });
  await collectImports(deps, pipeline, { sweep, dryRun, graceBegan, ctx });
  await collectParsed(deps, sweep, graceBegan);
  for await (const object of store.list('tmp/')) {
    if (object.lastModified.getTime() < graceBegan) await sweep.take('temporary objects', object);
  }
  await sweep.flush();
  return { tallies: sweep.tallies };
}

/** Goes through a stream's data objects, a folder after the other. @returns the batches of removed hours that it took away */
async function collectData(
  deps: Pick<StageDeps, 'store'>,
  stream: string,
  removed: ReadonlySet<string>,
  sweep: Sweep,
  graceBegan: number,
  ctx: StageContext,
): Promise<Set<string>> {
  const { store } = deps;
  const states = new BatchStates(store, stream, removed, graceBegan);
  await states.loadChains();
  const gone = new Set<string>();
  let looked = 0;
  for await (const object of store.list(keys.data(stream))) {
    looked += 1;
    if (looked % 1_000 === 0) {
      ctx.signal.throwIfAborted();
      ctx.progress({ note: `${stream}: looked at ${countText(looked)} objects` });
    }
    const file = parseDataFile(object.key);
    if (!file || object.lastModified.getTime() >= graceBegan) continue;
    const chain = file.kind === 'landed' ? states.chain(file.epoch, file.partition) : noChain;
    const batch = await states.batch(file.batch);
    if (batch.kind === 'removed' && !gone.has(file.batch)) {
      await sweepBatch(deps, stream, file.batch, sweep);
      gone.add(file.batch);
    }
    const garbage = garbageOf(object.key, file, batch, chain);
    if (garbage) await sweep.take(garbage, object);
  }
  await collectForeign(store, stream, states, sweep, graceBegan);
  await sweep.flush();
  return gone;
}

/** Rows of other producers are reached from their manifest alone, which stays. */
async function collectForeign(
  store: StageDeps['store'],
  stream: string,
  states: BatchStates,
  sweep: Sweep,
  graceBegan: number,
): Promise<void> {
  for await (const object of store.list(keys.foreign(stream))) {
    const file = parseForeignFile(object.key);
    if (!file || object.lastModified.getTime() >= graceBegan) continue;
    const { epoch, partition, first } = file;
    if (first >= states.chain(epoch, partition).position) continue;
    const manifest = await store.findJson<Manifest>(keys.manifest(stream, epoch, partition, first));
    const named = manifest?.foreignObjects?.some(({ key }) => key === object.key) ?? false;
    if (!named) await sweep.take('objects that no manifest or record names', object);
  }
}
