import { failPoint } from '../../connectors/fail-point.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import type { CommitHourInput } from '../io.ts';

type Store = Pick<StageDeps, 'store'>;

/** What an hour consists of now: the record of its highest generation. */
export async function newestHour(deps: Store, stream: string, hour: LogicalHour): Promise<HourRecord | undefined> {
  const key = await deps.store.lastKey(keys.hours(stream, hour));
  return key === undefined ? undefined : deps.store.findJson<HourRecord>(key);
}

/**
 * Makes sure that retention has not removed an hour.
 * @throws SluiceError `HourRemoved`
 */
export async function requireKept(deps: Store, stream: string, hour: LogicalHour): Promise<void> {
  refuseRemoved(await newestHour(deps, stream, hour));
}

function refuseRemoved(newest: HourRecord | undefined): void {
  if (!newest?.removed) return;
  const { stream, hour, removed } = newest;
  throw new SluiceError(
    'HourRemoved',
    `The hour ${hour} of ${stream} was removed on ${removed.at.slice(0, 10)} (${removed.reason}) and does not come back: ` +
      'to have it again, load it with a pipeline of another name.',
  );
}

/**
 * Commits an hour: makes `content` its highest generation, unless it is that already. Generations are given here, by
 * create-once, so a batch that an abandoned run left behind never becomes the hour, and an hour may go back to an earlier batch.
 * @throws SluiceError `HourRemoved` where retention has removed the hour: that is its last generation
 */
export async function commitHour(deps: Store, input: CommitHourInput): Promise<HourRecord> {
  const { stream, hour, rawSha, definitionSha, content, seen } = input;
  const what =
    'landed' in content
      ? { batch: content.landed.batch, rows: content.landed.rows }
      : { sameAs: content.sameAs, rows: 0 };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const newest = await newestHour(deps, stream, hour);
    refuseRemoved(newest);
    const same = newest && newest.batch === what.batch && newest.sameAs === what.sameAs;
    if (same && newest.seen?.sha256 === seen?.sha256) return newest;
    const generation = (newest?.generation ?? 0) + 1;
    const record: HourRecord = { stream, hour, generation, ...what, rawSha, definitionSha, ...(seen ? { seen } : {}) };
    const { created } = await deps.store.createJson(keys.hourRecord(stream, hour, generation), record);
    await failPoint('commit:after-hour-record');
    if (created) return record;
  }
  throw new SluiceError(
    'RecordConflict',
    `Hour ${hour} of ${stream} got a hundred generations from others meanwhile; try again.`,
  );
}
