import { keys, mainDataset } from '../../definition/names.ts';
import type { HourRecord, StaleMark } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import type { MadeStale, MarkStaleInput } from '../io.ts';
import type { RunReport } from '../run-report.ts';
import { committedHours, isStale, SeenSoFar } from './earlier-hours.ts';

type Store = Pick<StageDeps, 'store'>;

/** So many hours are named in a report. */
const NAMED = 100;

/**
 * After the commit of an hour: marks those from it on whose keys were compared with something else than what stands now, and takes
 * marks off that no longer hold, as when an hour went back to what it had been.
 *
 * The hour itself is among them: of two that were on their way at once, whoever lists second finds the record of the other. Done
 * again, it finds its own marks and names the same hours.
 * @throws SluiceError `StoreUnavailable`
 */
export async function markStale(deps: Store, input: MarkStaleInput): Promise<MadeStale> {
  for (;;) {
    const { made, takenOff } = await settle(deps, input);
    // A commit meanwhile may have relied on a mark that is gone now; its record is there, so another look finds it.
    if (takenOff) continue;
    const later = made.filter((hour) => hour !== input.hour);
    return { hours: later.slice(0, NAMED), count: later.length, itself: made.length > later.length };
  }
}

async function settle(deps: Store, input: MarkStaleInput) {
  const seen = new SeenSoFar();
  const compared: { record: HourRecord; stale: boolean }[] = [];
  for (const record of await committedHours(deps, input.pipeline)) {
    if (record.seen && record.hour >= input.hour) compared.push({ record, stale: isStale(record, seen.value) });
    seen.add(record);
  }
  const marks = await inGroups(compared, ({ record, stale }) => settleOne(deps, input, record, stale));
  return {
    made: marks.filter((mark) => mark !== undefined && mark !== 'taken off').map(({ hour }) => hour),
    takenOff: marks.includes('taken off'),
  };
}

/** @returns the mark of an hour that this commit made stale */
async function settleOne(
  deps: Store,
  { pipeline, hour, generation }: MarkStaleInput,
  record: HourRecord,
  stale: boolean,
): Promise<StaleMark | 'taken off' | undefined> {
  const key = keys.stale(pipeline, record.hour);
  const found = await deps.store.findJson<StaleMark>(key);
  const mark = found?.generation === record.generation ? found : undefined;
  if (!stale) {
    // One of an older generation stays until the run that replaces it is done.
    if (!mark) return undefined;
    await deps.store.remove([key]);
    return 'taken off';
  }
  if (mark) return mark.since.hour === hour && mark.since.generation === generation ? mark : undefined;
  const made: StaleMark = {
    hour: record.hour,
    generation: record.generation,
    since: { hour, generation },
    at: new Date().toISOString(),
  };
  await deps.store.put(key, Buffer.from(JSON.stringify(made)));
  return made;
}

/** The mark of an hour, if it speaks of what its newest run made; `report` is that run's. */
export async function standingMark(deps: Store, report: RunReport): Promise<StaleMark | undefined> {
  const mark = await deps.store.findJson<StaleMark>(keys.stale(report.pipeline, report.hour));
  return mark && mark.generation >= generationOf(report) ? mark : undefined;
}

/** Takes the mark off that a run has made obsolete, once it is done. */
export async function takeMarkOff(deps: Store, report: RunReport): Promise<void> {
  const { pipeline, hour } = report;
  const key = keys.stale(pipeline, hour);
  const mark = await deps.store.findJson<StaleMark>(key);
  const generation = generationOf(report);
  if (!mark || mark.generation >= generation) return;
  await deps.store.remove([key]);
  // Another commit may have marked the new generation between the two.
  await markStale(deps, { pipeline, hour, generation });
}

const generationOf = ({ generations }: RunReport): number => generations[mainDataset] ?? 0;
