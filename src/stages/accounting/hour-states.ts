import type { HourState } from '../../definition/backfill.ts';
import { hoursIn, hourKey, toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import type { RunReport } from '../run-report.ts';
import { listByHour, listHours, readHours } from '../landing/committed-hours.ts';
import { findStale } from './report.ts';

type Store = Pick<StageDeps, 'store'>;

/** An hour of a range as the object store has it. */
export interface HourFound {
  readonly hour: LogicalHour;
  readonly state: Exclude<HourState, 'running'>;
  /** There is something to replay: it has been fetched. */
  readonly imported: boolean;
  /** Of a failed hour, where its newest report is: there is none where it was ended from outside. */
  readonly report?: string;
}

/** What the folder of an hour says. */
interface Folder {
  done: boolean;
  marked: boolean;
  tried: boolean;
  imported: boolean;
  report?: { readonly key: string; readonly at: number };
}

/**
 * How each hour of a range stands, read from the object store: it knows for as long as hours are kept, Temporal for some days. Two
 * listings of the range, and one small object for each of its hours that is committed.
 * @param from, to both among them
 * @returns ascending, every hour of the range
 * @throws SluiceError `StoreUnavailable`
 */
export async function hourStates(
  deps: Store,
  pipeline: string,
  from: LogicalHour,
  to: LogicalHour,
): Promise<HourFound[]> {
  const range = { from, below: toLogicalHour(Date.parse(to) + 3_600_000) };
  const [folders, records] = await Promise.all([
    readFolders(deps, pipeline, range),
    listHours(deps, streamName(pipeline, mainDataset), range).then((listed) => readHours(deps, listed)),
  ]);
  const removed = new Set(records.filter(({ record }) => record.removed).map(({ hour }) => hour));
  const marked = [...folders].filter(([, { done, marked: mark }]) => done && mark).map(([hour]) => hour);
  const marks = await inGroups(marked, (hour) => findStale(deps, { pipeline, hour }));
  const stale = new Set(marked.filter((_, at) => marks[at] !== undefined));
  return Array.from({ length: hoursIn(from, to) }, (_, at): HourFound => {
    const hour = toLogicalHour(Date.parse(from) + at * 3_600_000);
    const folder = folders.get(hour);
    const imported = folder?.imported === true;
    if (removed.has(hour)) return { hour, state: 'removed', imported };
    if (folder?.done) return { hour, state: stale.has(hour) ? 'stale' : 'present', imported };
    if (!folder?.tried) return { hour, state: 'missing', imported };
    return { hour, state: 'failed', imported, ...(folder.report ? { report: folder.report.key } : {}) };
  });
}

async function readFolders(
  deps: Store,
  pipeline: string,
  range: Parameters<typeof listByHour>[2],
): Promise<Map<LogicalHour, Folder>> {
  const prefix = keys.runs(pipeline);
  const folders = new Map<LogicalHour, Folder>();
  for await (const { hour, key, lastModified } of listByHour(deps, prefix, range)) {
    const folder = folders.get(hour) ?? { done: false, marked: false, tried: false, imported: false };
    folders.set(hour, folder);
    const place = key.slice(prefix.length + hourKey(hour).length + 1).split('/')[0];
    if (place === 'done.json') folder.done = true;
    if (place === 'stale.json') folder.marked = true;
    if (place === 'imports') folder.imported = true;
    // A person's overlay of an hour is no attempt at it.
    if (place !== 'fixes') folder.tried = true;
    if (key.endsWith('/run.json') && place === 'attempts' && lastModified.getTime() >= (folder.report?.at ?? 0)) {
      folder.report = { key, at: lastModified.getTime() };
    }
  }
  return folders;
}

/** Why an hour is not done, as its newest report has it. */
export async function whyFailed({ store }: Store, { report }: HourFound): Promise<string> {
  const found = report === undefined ? undefined : await store.findJson<RunReport>(report);
  if (!found) return 'it was tried, and its run left no report';
  const { error, outcome } = found;
  return error ? `${error.code} in ${error.stage}: ${error.message}` : `its run ended as ${outcome}`;
}
