import type { MetricPanel } from './panel.ts';

/** Between numbers and their units. */
const NARROW = '\u00A0';

/** A metric's number for people. @param value of dates and durations milliseconds; null where there is none @param now milliseconds */
export function metricText(format: MetricPanel['format'], value: number | null, now = Date.now()): string {
  if (value === null || !Number.isFinite(value)) return '–';
  switch (format) {
    case 'number':
      return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
    case 'percent':
      return `${(value * 100).toLocaleString('en-US', { maximumFractionDigits: 1 })}${NARROW}%`;
    case 'ago':
      return value > now ? `in ${duration(value - now)}` : `${duration(now - value)} ago`;
    case 'duration':
      return duration(value);
  }
}

/** What a number is of, below it; empty where that says nothing: a count is all that there is, and an age is that of one record. */
export function metricOf(format: MetricPanel['format'], value: number | null, documents: number): string {
  if (value === documents || format === 'ago') return '';
  return `of ${documents.toLocaleString('en-US')} ${documents === 1 ? 'record' : 'records'}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** The two largest units that count: `2 d 3 h`, `14 min`, `8.2 s`. @param ms milliseconds */
export function duration(ms: number): string {
  const [first] = units.filter(([, size]) => ms >= size);
  if (first === undefined) {
    return ms < 1_000 ? `${Math.round(ms)}${NARROW}ms` : `${(ms / 1_000).toFixed(1)}${NARROW}s`;
  }
  const [unit, size] = first;
  const below = units[units.indexOf(first) + 1] ?? (['s', 1_000] as const);
  const rest = Math.floor((ms % size) / below[1]);
  const whole = `${Math.floor(ms / size).toLocaleString('en-US')}${NARROW}${unit}`;
  return rest === 0 ? whole : `${whole} ${rest}${NARROW}${below[0]}`;
}
