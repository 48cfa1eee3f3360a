import { countText } from '../../definition/amounts.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import type { HourMeasures } from './measures.ts';

type Store = Pick<StageDeps, 'store'>;

/** What is usual is learnt from so many of the last hours: four weeks. */
export const HISTORY_HOURS = 4 * 7 * 24;
const HOUR_MS = 3_600_000;
/** Where a pipeline does not run every hour, as many runs are looked for in this time. */
const SPARSE_MS = 365 * 24 * HOUR_MS;
const READ_AT_ONCE = 128;

/**
 * What is kept of the last runs before an hour, ascending, whenever they ran: a late hour is judged by those before it as well. One listing, and one small object
 * for each of them.
 */
export async function historyBefore(
  deps: Store,
  pipeline: string,
  hour: LogicalHour,
  { signal, progress }: StageContext,
): Promise<HourMeasures[]> {
  const recent = await listed(deps, pipeline, hour, HISTORY_HOURS * HOUR_MS);
  const found = recent.length < HISTORY_HOURS / 4 ? await listed(deps, pipeline, hour, SPARSE_MS) : recent;
  const read = found.slice(-HISTORY_HOURS);
  const history: HourMeasures[] = [];
  for (let at = 0; at < read.length; at += READ_AT_ONCE) {
    signal.throwIfAborted();
    const some = await inGroups(read.slice(at, at + READ_AT_ONCE), (key) => readOne(deps, key));
    history.push(...some.filter((one) => one !== undefined));
    progress({ note: `read what is kept of ${countText(history.length)} runs` });
  }
  return history;
}

async function listed({ store }: Store, pipeline: string, before: LogicalHour, ms: number): Promise<string[]> {
  const found: string[] = [];
  const end = keys.measures(pipeline, before);
  const start = keys.measures(pipeline, toLogicalHour(Date.parse(before) - ms));
  for await (const { key } of store.list(keys.watched(pipeline), start)) {
    if (key >= end) break;
    found.push(key);
  }
  return found;
}

/** What cannot be read is as if it had not run. */
async function readOne({ store }: Store, key: string): Promise<HourMeasures | undefined> {
  try {
    const found = await store.findJson<HourMeasures>(key);
    return found?.version === 1 ? found : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Series that were odd in earlier runs of an hour. An attempt of the same run that was made before is none. */
export async function oddBefore(deps: Store, pipeline: string, hour: LogicalHour, runId: string): Promise<string[]> {
  const kept = await readOne(deps, keys.measures(pipeline, hour));
  if (!kept) return [];
  const own = kept.runId === runId ? [] : Object.keys(kept.odd);
  return [...new Set([...(kept.before ?? []), ...own])].toSorted();
}

/** Whether a later hour has been judged already. */
export async function isOvertaken({ store }: Store, pipeline: string, hour: LogicalHour): Promise<boolean> {
  const own = keys.measures(pipeline, hour);
  for await (const { key } of store.list(keys.watched(pipeline), own)) if (key > own) return true;
  return false;
}

export async function keepMeasures({ store }: Store, pipeline: string, measures: HourMeasures): Promise<void> {
  await store.put(keys.measures(pipeline, measures.hour), Buffer.from(JSON.stringify(measures)));
}
