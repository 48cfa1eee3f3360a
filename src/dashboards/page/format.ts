const LOCALE = 'en';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const small = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 4 });
const fraction = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });
// Days as 26 Nov 2026, and 24 hours: as the panels write them.
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });

/** For people: thousands have a comma, and what is small has four digits. */
export const number = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1_000 ? whole.format(value) : small.format(value);

export const percent = (value: number): string => fraction.format(value);

/** How long a time is past. @param at milliseconds */
export function ago(at: number, now = Date.now()): string {
  const seconds = (at - now) / 1_000;
  const steps = [
    [60, 1, 'second'],
    [3_600, 60, 'minute'],
    [86_400, 3_600, 'hour'],
    [86_400 * 60, 86_400, 'day'],
    [86_400 * 730, 86_400 * 30.44, 'month'],
    [Infinity, 86_400 * 365.25, 'year'],
  ] as const;
  const [, length, unit] = steps.find(([end]) => Math.abs(seconds) < end) ?? steps[5];
  return relative.format(Math.round(seconds / length), unit);
}

/** @param ms milliseconds */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${small.format(Math.round(ms / 100) / 10)} s`;
  const minutes = Math.floor(Math.round(ms / 1_000) / 60);
  const seconds = Math.round(ms / 1_000) % 60;
  if (minutes < 60) return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Bytes for people: `812 B`, `3.4 kB`, `120 MB`. */
export function bytes(count: number): string {
  const at = count < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
  const scaled = count / 1_000 ** at;
  return `${at > 0 && scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${['B', 'kB', 'MB', 'GB', 'TB'][at] ?? ''}`;
}

/** A metric’s value, as its panel says that it is to be read. */
export function metric(value: number, format: string | undefined): string {
  switch (format) {
    case 'percent':
      return percent(value);
    case 'ago':
      return ago(value);
    case 'duration':
      return duration(value);
    default:
      return number(value);
  }
}

/** An instant in ISO 8601, in UTC: `26 Nov 2026, 15:00 UTC`. */
export const instant = (at: string | number): string => `${day.format(new Date(at))} UTC`;

/** `1 row`, `2 rows`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${whole.format(count)} ${count === 1 ? one : many}`;
