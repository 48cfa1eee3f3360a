import { keys } from '../../definition/names.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import type { DiscardInput } from '../io.ts';
import type { RunReport } from '../run-report.ts';
import type { StoredCleaning } from '../resuming/stored-cleaning.ts';

type Deps = Pick<StageDeps, 'store'>;

/** The batches that one cleaning made, a data set each. They are of use together or not at all. */
export type Cleaning = readonly { readonly stream: string; readonly batchId: string }[];

/** Whether a cleaning is of use to anybody, or may be. */
export async function isNeeded(deps: Deps, input: DiscardInput, cleaning: Cleaning): Promise<boolean> {
  return (
    (await isOver(deps, input)) ||
    (await isPublished(deps, input, cleaning)) ||
    (cleaning === input.made && (await ofAnotherRun(deps, input)))
  );
}

/** A run tidies up before it stores its report. Where that is there, this is a late attempt, and the hour may be in another run's hands. */
function isOver({ store }: Deps, { pipeline, hour, runId }: DiscardInput): Promise<boolean> {
  return store.exists(keys.attempt(pipeline, hour, runId, 'run.json'));
}

/** Whether anything has been published of a cleaning: a plan, a part, a record or an hour names one of its batches. */
async function isPublished(deps: Deps, { hour }: DiscardInput, cleaning: Cleaning): Promise<boolean> {
  for (const { stream, batchId } of cleaning) {
    for (const prefix of [
      keys.batch(stream, hour, batchId, 'publish-'),
      keys.partsAll(stream, batchId),
      keys.batches(stream, batchId),
    ]) {
      if ((await deps.store.lastKey(prefix)) !== undefined) return true;
    }
    for await (const { key } of deps.store.list(keys.hours(stream, hour))) {
      if ((await deps.store.findJson<HourRecord>(key))?.batch === batchId) return true;
    }
  }
  return false;
}

/** Whether another run of the hour has come to the same rows: it may be gone on with from there. */
async function ofAnotherRun({ store }: Deps, { pipeline, hour, runId, made }: DiscardInput): Promise<boolean> {
  const ours = new Set(made.map(({ sha256 }) => sha256));
  const prefix = keys.attempts(pipeline, hour);
  for await (const { key } of store.list(prefix)) {
    if (!key.endsWith('/run.json') || key.slice(prefix.length).startsWith(`${runId}/`)) continue;
    const { clean, outcome } = (await store.findJson<RunReport>(key)) ?? {};
    // One that was cancelled has given up its own.
    if (outcome === 'cancelled') continue;
    if (Object.values(clean?.datasets ?? {}).some(({ sha256 }) => ours.has(sha256))) return true;
  }
  return false;
}

/**
 * What a cleaning has stored that was stopped before it could say what it came to: batches of the hour that no `cleaned.json` of it
 * names. No run can begin behind such a cleaning.
 */
export async function cutCleanings({ store }: Deps, { pipeline, hour, streams }: DiscardInput): Promise<Cleaning[]> {
  const named = new Set<string>();
  const found: { stream: string; batchId: string }[] = [];
  for (const stream of streams) {
    const prefix = keys.batchesOf(stream, hour);
    for await (const { key } of store.list(prefix)) {
      const [batchId = '', file] = key.slice(prefix.length).split('/');
      if (file === 'clean.csv') found.push({ stream, batchId });
      if (file !== 'cleaned.json' || stream !== pipeline) continue;
      const stored = await store.findJson<StoredCleaning>(key);
      for (const batch of stored?.cleaned.batches ?? []) named.add(batch.batchId);
    }
  }
  return found.filter(({ batchId }) => !named.has(batchId)).map((batch) => [batch]);
}
