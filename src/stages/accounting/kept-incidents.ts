import { durationMs } from '../../definition/duration.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import type { Incident } from '../../definition/incidents.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import { endOf } from './incident-documents.ts';
import { removedHours } from './removed-hours.ts';

/** The first hour that retention leaves, by `keep.hours`; undefined where every hour is kept. @param now milliseconds since 1970 */
export function keptFrom({ keep }: Pick<Pipeline, 'keep'>, now: number): LogicalHour | undefined {
  return keep.hours === undefined ? undefined : toLogicalHour(now - durationMs(keep.hours));
}

/**
 * Those of the incidents that retention leaves in the index: they are open, or ended in an hour that is kept, by the definition and by what was
 * removed by hand.
 * @param from the first hour that is kept, by pipeline; of those that are not named, all are
 */
export async function keptIncidents(
  deps: Pick<StageDeps, 'store'>,
  incidents: readonly Incident[],
  from: ReadonlyMap<string, LogicalHour>,
): Promise<Incident[]> {
  const isRemoved = removedHours(deps);
  const kept = await inGroups(incidents, async (incident) => {
    const { pipeline } = incident;
    const end = endOf(incident);
    if (end === undefined) return [incident];
    const hour = toLogicalHour(end);
    // Hours are compared as texts; whatever ended in one that is kept is kept.
    return hour < (from.get(pipeline) ?? hour) || (await isRemoved({ pipeline, hour })) ? [] : [incident];
  });
  return kept.flat();
}
