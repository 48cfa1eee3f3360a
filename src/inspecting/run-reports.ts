import type { Store } from '../connectors/object-store.ts';
import type { LogicalHour } from '../definition/hour.ts';
import { keys } from '../definition/names.ts';
import type { RunReport } from '../stages/run-report.ts';
import { findReport } from './stored-report.ts';

/**
 * The report that one run of an hour left; undefined where it left none: it runs yet, or was ended from outside.
 * @throws SluiceError `ObjectCorrupt` where what it left is no report
 */
export function storedReport(
  store: Store,
  pipeline: string,
  hour: LogicalHour,
  runId: string,
): Promise<RunReport | undefined> {
  return findReport(store, keys.attempt(pipeline, hour, runId, 'run.json'), { pipeline, hour, runId });
}

/**
 * The reports of all runs of an hour, the newest first. They are kept for as long as the hour is, Temporal's histories for some days.
 * @throws SluiceError `ObjectCorrupt` where one is no report: without it nobody knows which run is the newest
 */
export async function storedReports(store: Store, pipeline: string, hour: LogicalHour): Promise<RunReport[]> {
  const found: string[] = [];
  for await (const { key } of store.list(keys.attempts(pipeline, hour))) if (key.endsWith('/run.json')) found.push(key);
  const reports = await Promise.all(found.map((key) => findReport(store, key, { pipeline, hour })));
  return reports
    .filter((report) => report !== undefined)
    .toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
}

/** Whether anything is stored of any hour of a pipeline. */
export async function hasRun(store: Store, pipeline: string): Promise<boolean> {
  for await (const _first of store.list(keys.runs(pipeline))) return true;
  return false;
}
