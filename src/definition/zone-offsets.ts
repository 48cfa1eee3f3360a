import { SluiceError } from './errors.ts';

/** From a local time on (`YYYY-MM-DDTHH:MM:SS`), a zone's offset (`+01:00`); null for local times that the zone skips. */
export interface LocalOffset {
  readonly from: string;
  readonly offset: string | null;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const [FIRST, LAST] = [Date.UTC(1970, 0, 1), Date.UTC(2100, 0, 1)];

const known = new Map<string, readonly LocalOffset[]>();

/**
 * The offsets of a zone by local time, ascending: what every engine looks up, so that none needs a time zone database.
 * Before 1970 the offset of then holds, after 2100 the one of then. A local time that comes twice is taken for the first.
 * @throws SluiceError `DefinitionInvalid` for a zone that this machine does not know
 */
export function localOffsets(zone: string): readonly LocalOffset[] {
  const before = known.get(zone);
  if (before) return before;
  const offsetAt = offsetReader(zone);
  const found: LocalOffset[] = [{ from: '', offset: written(offsetAt(FIRST)) }];
  // No zone changes twice within ten days.
  for (let at = FIRST; at < LAST; at += 10 * DAY) {
    const [now, next] = [offsetAt(at), offsetAt(at + 10 * DAY)];
    if (now === next) continue;
    let [low, high] = [at, at + 10 * DAY];
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offsetAt(middle) === now) low = middle;
      else high = middle;
    }
    if (next > now) found.push({ from: local(high + now * MINUTE), offset: null });
    found.push({ from: local(high + Math.max(now, next) * MINUTE), offset: written(next) });
  }
  known.set(zone, found);
  return found;
}

/**
 * Tells the minutes east of Greenwich that a zone has at an instant.
 * @throws SluiceError `DefinitionInvalid` for a zone that this machine does not know
 */
export function offsetReader(zone: string): (instant: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw new SluiceError('DefinitionInvalid', `"${zone}" is no time zone: write one like Europe/Berlin or UTC.`, {
      cause: error,
    });
  }
  return (instant) => {
    const name = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  };
}

const local = (instant: number): string => new Date(instant).toISOString().slice(0, 19);

function written(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}
