import { isDay } from './day.ts';
import { SluiceError } from './errors.ts';

/** A logical hour as text: `2026-11-24T03:00:00Z`. A run belongs to one, whatever the clock says. */
export type LogicalHour = string;

const HOUR_MS = 3_600_000;

/** Floors an instant to its hour, UTC. Accepts ISO text (also `2026-11-24T03`), a Date, or milliseconds. */
export function toLogicalHour(instant: string | number | Date): LogicalHour {
  const text =
    typeof instant === 'string' && /^\d{4}-\d\d-\d\dT\d\dZ?$/.test(instant) ? instant.slice(0, 13) + ':00Z' : instant;
  const ms = new Date(text).getTime();
  const day = typeof instant === 'string' ? /^\d{4}-\d\d-\d\d/.exec(instant)?.[0] : undefined;
  if (Number.isNaN(ms) || (day !== undefined && !isDay(day))) {
    throw new SluiceError(
      'DefinitionInvalid',
      `"${String(instant)}" is not an hour: write it like 2026-11-24T03 (UTC).`,
    );
  }
  return new Date(Math.floor(ms / HOUR_MS) * HOUR_MS).toISOString().replace('.000Z', 'Z');
}

/** @throws SluiceError `DefinitionInvalid` for an hour that is yet to come */
export function requireBegun(hour: LogicalHour, now: Date): void {
  if (hour <= toLogicalHour(now)) return;
  throw new SluiceError('DefinitionInvalid', `The hour ${hour} has not begun yet: give one that has.`);
}

/** How many hours lie between two, both counted; none where `to` is before `from`. */
export function hoursIn(from: LogicalHour, to: LogicalHour): number {
  return Math.max(0, hoursSinceEpoch(to) - hoursSinceEpoch(from) + 1);
}

/** The hour as it stands in object keys: `2026-11-24T03`. Sorts by time. */
export function hourKey(hour: LogicalHour): string {
  return hour.slice(0, 13);
}

/** The UTC date of the hour: `2026-11-24`. */
export function hourDate(hour: LogicalHour): string {
  return hour.slice(0, 10);
}

/** Whole hours since 1970, the high part of a document's version. */
export function hoursSinceEpoch(hour: LogicalHour): number {
  return Math.floor(new Date(hour).getTime() / HOUR_MS);
}
