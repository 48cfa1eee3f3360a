import { keys } from '../../definition/names.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { DiscardInput } from '../io.ts';
import type { Tallies } from '../maintaining/tally.ts';

type Deps = Pick<StageDeps, 'store' | 'spark'>;

/** Removes the temporary objects of a run: parts of downloads, and what Spark read and wrote. */
export async function discardScratch(
  deps: Deps,
  { pipeline, runId }: DiscardInput,
  tallies: Tallies,
  ctx: StageContext,
): Promise<void> {
  await removeAll(deps, keys.fetching(pipeline, runId), 'parts of downloads', tallies);
  for (const session of await sessionsOf(deps, runId)) {
    ctx.signal.throwIfAborted();
    // A session that lives may be gone on with, and takes what it finds for all there is. Where it is not let go of, gc comes in a day.
    const released = await deps.spark?.session(session, { signal: ctx.signal, progress: () => {} }).release();
    if (released) await removeAll(deps, keys.sparkScratch(session, runId), 'objects of Spark sessions', tallies);
  }
}

async function sessionsOf({ store }: Deps, runId: string): Promise<Set<string>> {
  const prefix = keys.sparkScratches(runId);
  const sessions = new Set<string>();
  for await (const { key } of store.list(prefix)) sessions.add(key.slice(prefix.length).split('/')[0] ?? '');
  return sessions;
}

async function removeAll({ store }: Deps, prefix: string, what: string, tallies: Tallies): Promise<void> {
  const found: string[] = [];
  for await (const object of store.list(prefix)) {
    found.push(object.key);
    tallies.add(what, object);
  }
  await store.remove(found);
}
