import { keys } from '../../definition/names.ts';
import type { ObjectRef } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import type { DoneInput, RunReport } from '../io.ts';

type Store = Pick<StageDeps, 'store'>;

/** Stores the report of one attempt at an hour. That of one which went through is also what says that the hour is done. */
export async function writeReport(deps: Store, report: RunReport): Promise<ObjectRef> {
  const bytes = Buffer.from(JSON.stringify(report, null, 2));
  const ref = await deps.store.put(keys.attempt(report.pipeline, report.hour, report.runId, 'run.json'), bytes);
  if (report.outcome === 'completed' || report.outcome === 'unchanged') {
    await deps.store.put(keys.done(report.pipeline, report.hour), bytes);
  }
  return ref;
}

/** The report of the newest run that took an hour to its end. An hour record alone does not say that its rows are indexed. */
export async function findDone(deps: Store, input: DoneInput): Promise<RunReport | undefined> {
  return deps.store.findJson<RunReport>(keys.done(input.pipeline, input.hour));
}
