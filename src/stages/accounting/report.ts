import { keys } from '../../definition/names.ts';
import type { ObjectRef } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import type { RunReport } from '../io.ts';

/** Stores the report of one attempt at an hour. */
export async function writeReport(deps: Pick<StageDeps, 'store'>, report: RunReport): Promise<ObjectRef> {
  const key = keys.attempt(report.pipeline, report.hour, report.runId, 'run.json');
  return deps.store.put(key, Buffer.from(JSON.stringify(report, null, 2)));
}
