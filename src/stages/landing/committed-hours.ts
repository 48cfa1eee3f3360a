import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';

type Store = Pick<StageDeps, 'store'>;

/** An hour as the store lists it: the key of its newest record, and when that was written by the server's clock. */
export interface ListedHour {
  readonly hour: LogicalHour;
  readonly key: string;
  readonly writtenAt: number;
  /** Records of generations below. */
  readonly older: readonly { readonly key: string; readonly bytes: number }[];
}

/** Which hours: from one on, and below one; all of them where nothing is said. */
export interface HourRange {
  readonly from?: LogicalHour;
  readonly below?: LogicalHour;
}

/** Lists what is kept hour by hour below a prefix, ascending: `<prefix><hour>/…`. What is no hour is left out. */
export async function* listByHour(
  { store }: Store,
  prefix: string,
  { from, below }: HourRange = {},
): AsyncGenerator<{ hour: LogicalHour; key: string; bytes: number; lastModified: Date }> {
  const end = below === undefined ? undefined : prefix + hourKey(below);
  for await (const object of store.list(prefix, from === undefined ? '' : prefix + hourKey(from))) {
    if (end !== undefined && object.key >= end) return;
    const folder = object.key.slice(prefix.length).split('/')[0] ?? '';
    if (/^\d{4}-\d\d-\d\dT\d\d$/.test(folder)) yield { hour: `${folder}:00:00Z`, ...object };
  }
}

/** Every hour of a stream that has a record, ascending. */
export async function listHours(deps: Store, stream: string, range: HourRange = {}): Promise<ListedHour[]> {
  const hours: { hour: LogicalHour; key: string; writtenAt: number; older: { key: string; bytes: number }[] }[] = [];
  let bytesOfLast = 0;
  for await (const { hour, key, bytes, lastModified } of listByHour(deps, keys.hoursAll(stream), range)) {
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
  { store }: Store,
  hours: readonly ListedHour[],
): Promise<(ListedHour & { readonly record: HourRecord })[]> {
  const records = await inGroups(hours, ({ key }) => store.findJson<HourRecord>(key));
  return hours.flatMap((hour, at) => {
    const record = records[at];
    return record ? [{ ...hour, record }] : [];
  });
}

/**
 * The committed hours of a stream, ascending: of each its record of the highest generation. Those that retention removed are left
 * out.
 * @param below only those below this hour; all of them where it is left out
 */
export async function newestHours(deps: Store, stream: string, below?: LogicalHour): Promise<HourRecord[]> {
  const listed = await readHours(deps, await listHours(deps, stream, below === undefined ? {} : { below }));
  return listed.map(({ record }) => record).filter(({ removed }) => removed === undefined);
}
