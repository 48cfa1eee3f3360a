import { hourDate } from '../../definition/hour.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { newestBatchRecord } from '../landing/batch-record.ts';
import { listHours, readHours } from '../landing/committed-hours.ts';
import { planCompaction } from './compact-plan.ts';
import { compactBatch } from './compact.ts';
import { Tallies, type Tally } from './tally.ts';

export interface CompactStreamInput {
  readonly stream: string;
  /** Hours of days before this one, `2026-11-24`. */
  readonly before: string;
  readonly dryRun: boolean;
}

export interface CompactReport {
  readonly stream: string;
  /** Batches that were, or would be, compacted. */
  readonly batches: number;
  /** Of these, those of which somebody else published the version first. */
  readonly lost: number;
  readonly rows: number;
  /** What was rewritten, and what into; a dry run does not know the latter. */
  readonly tallies: readonly Tally[];
}

/**
 * Compacts the batches that hours of past days consist of, one after the other. What an earlier attempt did is done: a batch that is
 * compacted has nothing to do.
 * @throws SluiceError as {@link compactBatch} does
 */
export async function compactStream(
  deps: Pick<StageDeps, 'store'>,
  { stream, before, dryRun }: CompactStreamInput,
  ctx: StageContext,
): Promise<CompactReport> {
  const past = (await listHours(deps, stream)).filter(({ hour }) => hourDate(hour) < before);
  const tallies = new Tallies();
  let [batches, lost, rows] = [0, 0, 0];
  for (const { record } of await readHours(deps, past)) {
    ctx.signal.throwIfAborted();
    if (record.batch === undefined) continue;
    ctx.progress({ note: `${stream} ${record.hour}: ${batches} batches compacted so far` });
    const newest = await newestBatchRecord(deps.store, stream, record.batch);
    const plan = newest && planCompaction(newest.record);
    if (!plan) continue;
    const from = plan.groups.flatMap((group) => group.from);
    const done = dryRun ? undefined : await compactBatch(deps, { stream, batch: record.batch }, ctx);
    for (const object of done?.from ?? from) tallies.add('small objects of past days', object);
    for (const object of done?.into ?? []) tallies.add('objects that they became', object);
    batches += 1;
    rows += from.reduce((sum, object) => sum + object.rows, 0);
    if (done?.outcome === 'lost') lost += 1;
  }
  return { stream, batches, lost, rows, tallies: tallies.all };
}
