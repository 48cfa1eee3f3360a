import { toLogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { RunTiming } from '../../definition/timing.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import { listByHour } from '../landing/committed-hours.ts';
import type { RunReport } from '../run-report.ts';
import { judgeTiming } from './bottleneck.ts';
import { serverFigures } from './server-figures.ts';

/** So many runs are what is usual. */
const RUNS = 24;
const DAY_MS = 86_400_000;
/** How far is looked back for them: most pipelines have them in the first. */
const WINDOWS = [2 * DAY_MS, 10 * DAY_MS, 60 * DAY_MS];
const SERVERS_MS = 2_000;

/**
 * Where a run's time went, against the last of its pipeline's hours before it, with what the servers say of themselves now.
 * @param definition without it nobody asks the servers
 * @throws SluiceError `StoreUnavailable`
 */
export async function runTiming(
  deps: Pick<StageDeps, 'store' | 'kafka' | 'search' | 'settings'>,
  report: RunReport,
  definition: Pipeline | undefined,
): Promise<RunTiming> {
  const earlier = await earlierRuns(deps, report);
  const counters = earlier.find(({ timing }) => timing?.counters !== undefined)?.timing?.counters ?? {};
  const figures = definition ? await serverFigures(deps, definition, counters, SERVERS_MS) : {};
  return judgeTiming(report, earlier, figures);
}

/**
 * The runs of the hours before one that came to the same end in the same way, the newest hour first. A failed run is compared with those that
 * went through.
 */
async function earlierRuns({ store }: Pick<StageDeps, 'store'>, report: RunReport): Promise<RunReport[]> {
  const { pipeline, hour, outcome, startFrom } = report;
  const end = outcome === 'unchanged' ? 'unchanged' : 'completed';
  for (const [at, window] of WINDOWS.entries()) {
    const from = toLogicalHour(Date.parse(hour) - window);
    const done: string[] = [];
    for await (const { key } of listByHour({ store }, keys.runs(pipeline), { from, below: hour }))
      if (key.endsWith('/done.json')) done.push(key);
    if (done.length < RUNS && at < WINDOWS.length - 1) continue;
    const read = await inGroups(done.slice(-RUNS).toReversed(), (key) => store.findJson<RunReport>(key));
    return read.flatMap((one) => (one?.outcome === end && one.startFrom === startFrom ? [one] : []));
  }
  return [];
}
