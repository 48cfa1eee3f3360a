import type { Incident } from '../../definition/incidents.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import type { OperationsDocument } from './operations-documents.ts';
import { prepareOperationsIndex, writeDocuments } from './operations-index.ts';

/**
 * Indexes incidents as they stand, each over what stands there of it, unless that is newer: whoever does so late, or again, changes nothing.
 * @returns how many were written
 * @throws SluiceError `ElasticsearchUnavailable`, `StoreUnavailable`, `IndexMismatch`
 */
export async function indexIncidents(
  deps: Pick<StageDeps, 'search' | 'store'>,
  incidents: readonly Incident[],
  ctx: StageContext,
): Promise<number> {
  await prepareOperationsIndex(deps);
  return writeDocuments(deps, incidents.map(incidentDocument), ctx);
}

/** What is indexed of an incident; one of a problem is told from the next by when it opened. */
export function incidentDocument(incident: Incident): OperationsDocument {
  const { id, pipeline, rule, subject, severity, state, sentence, openedAt, occurrences, hours } = incident;
  const { workflowId, runId } = incident;
  const hour = hours.at(-1);
  const end = endOf(incident);
  return {
    id: `${id}/${openedAt}`,
    version: changedAt(incident),
    body: {
      ...{ kind: 'incident', incident: id, pipeline, rule, severity, state, sentence, seen: occurrences },
      ...{ at: openedAt, startedAt: openedAt },
      lasted: { gte: openedAt, ...(end === undefined ? {} : { lte: end }) },
      ...(end === undefined ? {} : { endedAt: end, ms: Date.parse(end) - Date.parse(openedAt) }),
      ...(subject === undefined ? {} : { subject }),
      ...(hour === undefined ? {} : { hour }),
      ...(workflowId === undefined ? {} : { workflowId }),
      ...(runId === undefined ? {} : { runId }),
    },
  };
}

/** When it ended, as it is indexed: clocks differ, and a stretch that ends before it begins is refused. */
export function endOf({ openedAt, endedAt }: Incident): string | undefined {
  return endedAt === undefined || endedAt > openedAt ? endedAt : openedAt;
}

/** When it last changed, as far as it says so; its end is the last of all. */
function changedAt({ openedAt, lastSeenAt, endedAt, acknowledged, escalatedAt }: Incident): number {
  const times = [openedAt, lastSeenAt, endedAt, acknowledged?.at, escalatedAt].flatMap((at) =>
    at === undefined ? [] : [Date.parse(at)],
  );
  return Math.max(...times) + (endedAt === undefined ? 0 : 1);
}
