import { Context } from '@temporalio/activity';
import { sentenceOf } from '../definition/errors.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { ObjectRef } from '../definition/refs.ts';
import type { RunTiming } from '../definition/timing.ts';
import { indexReport, isHealed } from '../stages/accounting/operations.ts';
import { writeReport } from '../stages/accounting/report.ts';
import { runTiming } from '../stages/accounting/run-timing.ts';
import type { StageContext, StageDeps } from '../stages/deps.ts';
import type { RunReport } from '../stages/run-report.ts';
import { aborted } from './aborted.ts';
import { attended } from './attended.ts';

const INDEXING_MS = 15_000;
const JUDGING_MS = 8_000;
const NAMED = 5;
const LINES_A_SERVER = 20;

/** What tells of a run that is over. @param patienceMs how long the end of a run waits for the dashboards */
export function reportActivities(deps: StageDeps, patienceMs = INDEXING_MS) {
  return {
    /** Stores a run's report with what its time went to, which it gives back, and then indexes it for the dashboards, as far as that can be had: a later report of the pipeline makes up for it, or `sluice dashboards fill`. */
    writeReport: (given: RunReport, definition?: Pipeline): Promise<ObjectRef & { readonly timing?: RunTiming }> =>
      attended(async (context) => {
        const timing = await judged(deps, given, definition, context);
        const report: RunReport = timing ? { ...given, timing } : given;
        const stored = await writeReport(deps, { ...report, ...(await warnedOf(deps, report)) }, definition);
        const over = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
        await tellDashboards(deps, report, definition, { ...context, signal: over });
        return { ...stored, ...(timing ? { timing } : {}) };
      }),
  };
}

/** Undefined where it cannot be said, or not soon: a report is stored all the same. */
async function judged(
  deps: StageDeps,
  report: RunReport,
  definition: Pipeline | undefined,
  { signal }: StageContext,
): Promise<RunTiming | undefined> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(JUDGING_MS)]);
  try {
    return await Promise.race([runTiming(deps, report, definition), aborted(late)]);
  } catch (error) {
    const { pipeline, hour } = report;
    Context.current().log.warn('nobody can say where the time of this run went', {
      ...{ pipeline, hour, error: sentenceOf(error) },
    });
    return undefined;
  }
}

/** What servers of the local stack warned of meanwhile. Whoever looks for the reason of a failure finds it in the report then, and not in files that are gone. */
async function warnedOf(
  { serverLogs }: Pick<StageDeps, 'serverLogs'>,
  { pipeline, hour, startedAt, endedAt }: RunReport,
): Promise<Pick<RunReport, 'servers'>> {
  const window = { from: Date.parse(startedAt), to: Date.parse(endedAt) };
  try {
    const servers = (await serverLogs?.all(window, LINES_A_SERVER)) ?? [];
    return servers.length === 0 ? {} : { servers };
  } catch (error) {
    Context.current().log.warn('what servers warned of is not in the report of this run', {
      ...{ pipeline, hour, error: sentenceOf(error) },
    });
    return {};
  }
}

async function tellDashboards(
  deps: StageDeps,
  report: RunReport,
  definition: Pipeline | undefined,
  context: StageContext,
): Promise<void> {
  const { log } = Context.current();
  const { pipeline, hour } = report;
  try {
    const { unreadable } = await Promise.race([
      indexReport(deps, report, definition, context),
      aborted(context.signal),
    ]);
    if (unreadable.length === 0) return;
    const keys = unreadable.slice(0, NAMED);
    log.warn('reports of earlier runs are not in the dashboards: they are none, or the index refuses them', {
      ...{ pipeline, reports: unreadable.length, keys },
    });
  } catch (error) {
    log.warn(`the report of this run is not in the dashboards: ${whatBringsIt(report)}`, {
      ...{ pipeline, hour, error: sentenceOf(error) },
    });
  }
}

/** What indexes a report that was not. */
export function whatBringsIt({ pipeline, hour }: Pick<RunReport, 'pipeline' | 'hour'>): string {
  const command = `"sluice dashboards fill ${pipeline}"`;
  if (!isHealed(hour)) return `its hour is too old for later reports to bring it, so ${command} has to`;
  return `a report of the pipeline that comes before this hour is three days old brings it, and so does ${command}`;
}
