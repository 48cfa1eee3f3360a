import { keys } from '../../definition/names.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';

/** An hour as the store lists it: the key of its newest record, and when that was written by the server's clock. */
export interface ListedHour {
  readonly hour: LogicalHour;
  readonly key: string;
  readonly writtenAt: number;
  /** Records of generations below. */
  readonly older: readonly { readonly key: string; readonly bytes: number }[];
}

/** Every hour of a stream that has a record, ascending. */
export async function listHours({ store }: Pick<StageDeps, 'store'>, stream: string): Promise<ListedHour[]> {
  const prefix = keys.hoursAll(stream);
  const hours: { hour: LogicalHour; key: string; writtenAt: number; older: { key: string; bytes: number }[] }[] = [];
  let bytesOfLast = 0;
  for await (const { key, bytes, lastModified } of store.list(prefix)) {
    const hour = `${key.slice(prefix.length).split('/')[0] ?? ''}:00:00Z`;
    const last = hours.at(-1);
    // Generations are zero-padded, so the last key of an hour is its highest.
    if (last?.hour === hour) {
      last.older.push({ key: last.key, bytes: bytesOfLast });
      last.key = key;
      last.writtenAt = lastModified.getTime();
    } else hours.push({ hour, key, writtenAt: lastModified.getTime(), older: [] });
    bytesOfLast = bytes;
  }
  return hours;
}

/** The newest record of each of these hours. */
export async function readHours(
  { store }: Pick<StageDeps, 'store'>,
  hours: readonly ListedHour[],
): Promise<(ListedHour & { readonly record: HourRecord })[]> {
  const records = await inGroups(hours, ({ key }) => store.findJson<HourRecord>(key));
  return hours.flatMap((hour, at) => {
    const record = records[at];
    return record ? [{ ...hour, record }] : [];
  });
}
