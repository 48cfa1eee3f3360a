import { SluiceError } from '../../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { HourRecord } from '../../definition/refs.ts';
import { streamsOf, type Stream } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { keptFrom } from '../accounting/kept-incidents.ts';
import { forgetHours, forgetIncidents } from '../accounting/operations-index.ts';
import { deleteOlderGenerations } from '../indexing/stale-documents.ts';
import { findTargets } from '../indexing/targets.ts';
import { newestBatchRecord } from '../landing/batch-record.ts';
import { newestHour } from '../landing/hour-record.ts';
import { listByHour, listHours, readHours } from '../landing/committed-hours.ts';
import { GRACE_MS, storeNow } from './grace.ts';
import { planRetention, type HeldBack } from './retention-plan.ts';
import { Tallies, type Tally } from './tally.ts';

export interface RetainInput {
  readonly pipeline: Pipeline;
  /** Hours before this one go; by `keep.hours` where left out. */
  readonly before?: LogicalHour;
  readonly dryRun: boolean;
}

export interface RetainReport {
  readonly before: LogicalHour;
  readonly hours: number;
  /** The first of them. */
  readonly first: readonly LogicalHour[];
  readonly rows: number;
  /** Documents that were deleted; a dry run does not know. */
  readonly documents: number;
  readonly heldBack: readonly HeldBack[];
  readonly heldBackCount: number;
  readonly tallies: readonly Tally[];
}

const NAMED = 5;

/**
 * Removes whole hours by their age: each gets a last generation that says so. From then on nothing of the hour can be committed, read or
 * imported any more, its documents leave the index, and what is indexed of its runs, and gc takes the objects once its day is over. Done
 * again it goes on where it was.
 * @param now milliseconds since 1970; the store's clock where left out
 * @throws SluiceError `DefinitionInvalid` where nothing says what is too old
 */
export async function retain(
  deps: Pick<StageDeps, 'store' | 'search'>,
  { pipeline, before, dryRun }: RetainInput,
  ctx: StageContext,
  now?: number,
): Promise<RetainReport> {
  const at = now ?? (dryRun ? Date.now() : await storeNow(deps.store));
  const limit = limitOf(pipeline, before, at);
  const streams = streamsOf(pipeline);
  const listed = await Promise.all(streams.map(async ({ name }) => readHours(deps, await listHours(deps, name))));
  const records = listed.flat().map(({ record }) => record);
  const { remove, heldBack } = planRetention(records, await runHours(deps, pipeline.name), limit);
  const tallies = new Tallies();
  const byName = new Map(records.map((record) => [`${record.stream} ${record.hour}`, record]));
  let [rows, documents] = [0, 0];
  for (const hour of remove) {
    ctx.signal.throwIfAborted();
    ctx.progress({ note: `${dryRun ? 'looks at' : 'removes'} ${hour}` });
    for (const stream of streams) {
      const record = byName.get(`${stream.name} ${hour}`);
      rows += record?.rows ?? 0;
      await tallyHour(deps, record, tallies);
      if (!dryRun) await endHour(deps, stream, hour, reasonOf(pipeline, before), at);
    }
  }
  if (!dryRun) {
    const gone = new Set([...remove, ...recentlyRemoved(listed.flat(), at)]);
    for (const stream of streams) documents += await deleteDocuments(deps, stream, [...gone], ctx);
    await forgetHours(deps, pipeline.name, [...gone], ctx);
    await forgetIncidents(deps, pipeline.name, limit, ctx);
  }
  return {
    before: limit,
    hours: remove.length,
    first: remove.slice(0, NAMED),
    ...{ rows, documents },
    heldBack: heldBack.slice(0, NAMED),
    heldBackCount: heldBack.length,
    tallies: tallies.all,
  };
}

function limitOf(pipeline: Pipeline, before: LogicalHour | undefined, now: number): LogicalHour {
  const limit = before ?? keptFrom(pipeline, now);
  if (limit === undefined) {
    throw new SluiceError(
      'DefinitionInvalid',
      `The definition of ${pipeline.name} keeps every hour: set keep.hours, like 90d, or give --before a day.`,
    );
  }
  if (limit <= toLogicalHour(now)) return limit;
  throw new SluiceError('DefinitionInvalid', `${limit} has not come yet: give --before a day that has.`);
}

const reasonOf = ({ keep }: Pipeline, before: LogicalHour | undefined): string =>
  before === undefined ? `keep.hours ${keep.hours ?? ''}` : `hours before ${before}`;

/** Hours of which anything was tried, committed or not. */
async function runHours(deps: Pick<StageDeps, 'store'>, pipeline: string): Promise<LogicalHour[]> {
  const hours = new Set<LogicalHour>();
  for await (const { hour } of listByHour(deps, keys.runs(pipeline))) hours.add(hour);
  return [...hours];
}

async function tallyHour(
  { store }: Pick<StageDeps, 'store'>,
  record: HourRecord | undefined,
  tallies: Tallies,
): Promise<void> {
  if (record?.batch === undefined) return;
  const newest = await newestBatchRecord(store, record.stream, record.batch);
  for (const object of newest?.record.objects ?? []) tallies.add('data objects of hours that are too old', object);
}

/** Gives an hour its last generation. Whoever commits it meanwhile gets one before; nobody gets one after. */
async function endHour(
  deps: Pick<StageDeps, 'store'>,
  { name: stream }: Stream,
  hour: LogicalHour,
  reason: string,
  now: number,
): Promise<void> {
  for (;;) {
    const newest = await newestHour(deps, stream, hour);
    if (newest?.removed) return;
    const generation = (newest?.generation ?? 0) + 1;
    const removed = { at: new Date(now).toISOString(), reason };
    const last: HourRecord = { stream, hour, generation, rows: 0, rawSha: '', definitionSha: '', removed };
    if ((await deps.store.createJson(keys.hourRecord(stream, hour, generation), last)).created) return;
  }
}

/** A worker that was on its way may have indexed documents of an hour after they were deleted. */
function recentlyRemoved(
  hours: readonly { readonly writtenAt: number; readonly record: HourRecord }[],
  now: number,
): LogicalHour[] {
  return hours
    .filter(({ writtenAt, record }) => record.removed !== undefined && now - writtenAt < 2 * GRACE_MS)
    .map(({ record }) => record.hour);
}

async function deleteDocuments(
  deps: Pick<StageDeps, 'store' | 'search'>,
  { name, alias }: Stream,
  hours: readonly LogicalHour[],
  ctx: StageContext,
): Promise<number> {
  if (hours.length === 0) return 0;
  // One that is being filled may have the hour too.
  const { standing, next } = await findTargets(deps.search, alias);
  const targets = [standing, next].filter((target) => target !== undefined);
  let documents = 0;
  for (const hour of targets.length === 0 ? [] : hours) {
    const last = await newestHour(deps, name, hour);
    if (!last?.removed) continue;
    for (const target of targets) {
      const deleted = await deleteOlderGenerations(deps.search, target, last, ctx);
      if (target === standing) documents += deleted;
    }
  }
  return documents;
}
