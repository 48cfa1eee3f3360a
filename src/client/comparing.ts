import type { Store } from '../connectors/object-store.ts';
import { SluiceError } from '../definition/errors.ts';
import { doneBefore, storedColumns, storedDefinition } from '../inspecting/beside-report.ts';
import { storedReports } from '../inspecting/run-reports.ts';
import { diffRuns, type ComparedRun, type RunDiff } from './run-diff.ts';
import type { ReportSoFar } from './runs.ts';

/** Compares two runs, or a run with the one before it. @throws SluiceError `HourUnknown` where there is none before it */
export async function compareRuns(store: Store, given: ReportSoFar, other?: ReportSoFar): Promise<RunDiff> {
  const [old, now] = other ? [given, other] : [await runBefore(store, given), given];
  return diffRuns(...(await Promise.all([withStored(store, old), withStored(store, now)])));
}

/** The run of the same hour that began before it and left a report; where it is the first one, the newest earlier hour that is done. */
async function runBefore(store: Store, { pipeline, hour, runId, startedAt }: ReportSoFar): Promise<ReportSoFar> {
  const reports = await storedReports(store, pipeline, hour);
  const earlier = reports.find((report) => report.runId !== runId && report.startedAt < startedAt);
  const before = earlier ?? (await doneBefore(store, pipeline, hour));
  if (before) return before;
  throw new SluiceError(
    'HourUnknown',
    `Before this run of ${pipeline} ${hour} there is none to compare it with, of this hour or of an earlier one that is done: name another hour.`,
  );
}

async function withStored(store: Store, report: ReportSoFar): Promise<ComparedRun> {
  const [definition, columns] = await Promise.all([storedDefinition(store, report), storedColumns(store, report)]);
  return { report, ...(definition === undefined ? {} : { definition }), ...(columns ? { columns } : {}) };
}
