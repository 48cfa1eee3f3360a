import { addressesOf, type Source } from '../../definition/source.ts';
import { hourKey, toLogicalHour, type LogicalHour } from '../../definition/hour.ts';

const PLACEHOLDER = /\$\{hour:([^}]*)\}/g;

/** Whether the address names its hour, so that a past hour can be asked for. */
export function namesItsHour(url: string): boolean {
  return new RegExp(PLACEHOLDER.source).test(url);
}

/** Whether a past hour can be asked for: the address, or what is sent along, names it. */
export function sourceNamesHours(source: Source): boolean {
  return [...addressesOf(source), ...Object.values(source.query), JSON.stringify(source.body ?? '')].some(namesItsHour);
}

/** Puts the logical hour into an address: `${hour:YYYY/MM/DD-HH}` → `2026/11/24-03`. */
export function addressFor(url: string, hour: LogicalHour): string {
  const [year = '', month = '', day = '', hours = ''] = hourKey(hour).split(/[-T]/);
  return url.replace(PLACEHOLDER, (_, format: string) =>
    format.replaceAll('YYYY', year).replaceAll('MM', month).replaceAll('DD', day).replaceAll('HH', hours),
  );
}

/** An address as it may be shown and stored: without user, password, query string and fragment. */
export function shownAddress(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** A run that began in the last minute of its hour, and its retries, still count as in it. */
const GRACE_MS = 5 * 60_000;

/** Whether the clock has left this hour for good: what the source holds now is not what it held then. */
export function isPast(hour: LogicalHour, now: Date): boolean {
  return hour < toLogicalHour(now.getTime() - GRACE_MS);
}
