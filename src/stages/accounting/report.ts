import { failPoint } from '../../connectors/fail-point.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { ObjectRef, StaleMark } from '../../definition/refs.ts';
import { standingMark, takeMarkOff } from '../cleaning/stale-hours.ts';
import type { StageDeps } from '../deps.ts';
import type { DoneInput } from '../io.ts';
import type { RunReport } from '../run-report.ts';
import { requireKept } from '../landing/hour-record.ts';

type Store = Pick<StageDeps, 'store'>;

/**
 * Stores the report of one attempt at an hour. That of one which went through is also what says that the hour is done.
 * @param definition what shaped the run, kept beside its report for as long; runs of older versions gave none
 */
export async function writeReport(deps: Store, report: RunReport, definition?: Pipeline): Promise<ObjectRef> {
  if (definition) {
    const key = keys.attempt(report.pipeline, report.hour, report.runId, 'definition.json');
    await deps.store.put(key, Buffer.from(JSON.stringify(definition)));
  }
  const bytes = Buffer.from(JSON.stringify(report, null, 2));
  const ref = await deps.store.put(keys.attempt(report.pipeline, report.hour, report.runId, 'run.json'), bytes);
  await failPoint('report:before-done');
  if (report.outcome === 'completed' || report.outcome === 'unchanged') {
    await deps.store.put(keys.done(report.pipeline, report.hour), bytes);
    await takeMarkOff(deps, report);
  }
  return ref;
}

/**
 * The report of the newest run that took an hour to its end. An hour record alone does not say that its rows are indexed. A stale hour
 * is not done: it is to run again.
 * @throws SluiceError `HourRemoved` where retention has removed the hour
 */
export async function findDone(deps: Store, input: DoneInput): Promise<RunReport | undefined> {
  await requireKept(deps, streamName(input.pipeline, mainDataset), input.hour);
  const report = await newestDone(deps, input);
  return report && !(await standingMark(deps, report)) ? report : undefined;
}

/** Since when an hour that ran to its end is stale; undefined where it is not. */
export async function findStale(deps: Store, input: DoneInput): Promise<StaleMark | undefined> {
  const report = await newestDone(deps, input);
  return report && standingMark(deps, report);
}

function newestDone(deps: Store, { pipeline, hour }: DoneInput): Promise<RunReport | undefined> {
  return deps.store.findJson<RunReport>(keys.done(pipeline, hour));
}
