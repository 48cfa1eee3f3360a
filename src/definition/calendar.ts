import { didYouMean } from './did-you-mean.ts';

/** The parts of a calendar: an instant fits where all of them fit, day of month *and* day of week among them. Seconds are 0. */
export const calendarFields = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek', 'year'] as const;
export type CalendarField = (typeof calendarFields)[number];

/** One value, or some: `8`, `8-18/2`, `MON-FRI`, `*`, a list of such. */
export type CalendarValue = number | string | readonly (number | string)[];

/** A calendar with all its values, ascending. No year at all stands for every year. */
export type Calendar = Readonly<Record<CalendarField, readonly number[]>>;

export const monthNames = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july'],
  ...['august', 'september', 'october', 'november', 'december'],
] as const;
export const dayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;

interface Grammar {
  readonly min: number;
  readonly max: number;
  /** Values that may also be named, beginning with the least; a name may be cut off behind `letters`. */
  readonly names?: readonly string[];
  readonly letters?: number;
  /** Where nothing is said. */
  readonly absent: string;
}

/** As Temporal's server has them: 7 is Sunday too, years go from 2000 to 2100. */
const grammars: Readonly<Record<CalendarField, Grammar>> = {
  minute: { min: 0, max: 59, absent: '0' },
  hour: { min: 0, max: 23, absent: '0' },
  dayOfMonth: { min: 1, max: 31, absent: '*' },
  month: { min: 1, max: 12, names: monthNames, letters: 3, absent: '*' },
  dayOfWeek: { min: 0, max: 7, names: dayNames, letters: 2, absent: '*' },
  year: { min: 2000, max: 2100, absent: '*' },
};

/** The values that a field stands for, or what is wrong with it. */
export function fieldValues(
  field: CalendarField,
  value: CalendarValue | undefined,
): { readonly values: readonly number[] } | { readonly problem: string } {
  const grammar = grammars[field];
  if (field === 'year' && (value === undefined || value === '*')) return { values: [] };
  const found = new Set<number>();
  const given = value ?? grammar.absent;
  const parts: readonly (number | string)[] = typeof given === 'object' ? given : [given];
  for (const part of parts.flatMap((item) => String(item).split(','))) {
    const range = rangeOf(grammar, part);
    if (typeof range === 'string') return { problem: range };
    const { start, end, step } = range;
    for (let at = start; at <= end; at += step) found.add(field === 'dayOfWeek' && at === 7 ? 0 : at);
  }
  return { values: [...found].toSorted((a, b) => a - b) };
}

/** @returns the range, or what is wrong with it */
function rangeOf(grammar: Grammar, part: string): { start: number; end: number; step: number } | string {
  const { min, max } = grammar;
  const [text = '', stepText, ...more] = part.trim().split('/');
  if (more.length > 0) return `"${part}" has more than one /`;
  const step = stepText === undefined ? 1 : /^[1-9]\d{0,3}$/.test(stepText) ? Number(stepText) : 0;
  if (step === 0) return `"${part}" has no step behind its /: write one like 2`;
  if (text === '*') return { start: min, end: max, step };
  const [start = '', end, ...rest] = text.split('-');
  if (rest.length > 0) return `"${part}" has more than one -`;
  return between(grammar, start, end ?? (stepText === undefined ? start : String(max)), step);
}

function between(
  grammar: Grammar,
  from: string,
  to: string,
  step: number,
): { start: number; end: number; step: number } | string {
  const start = valueOf(grammar, from);
  const end = valueOf(grammar, to);
  if (typeof start === 'string') return start;
  if (typeof end === 'string') return end;
  return end < start ? `ends with ${to} before it begins with ${from}` : { start, end, step };
}

function valueOf({ min, max, names, letters = 0 }: Grammar, value: string): number | string {
  const text = value.trim().toLowerCase();
  if (/^\d{1,4}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  const named = text.length < letters ? -1 : (names ?? []).findIndex((name) => name.startsWith(text));
  if (names && named >= 0) return named + min;
  const also = names ? ` or a name like ${names[1]}` : '';
  return `"${value}" is no number from ${min} to ${max}${also}.${names ? didYouMean(text, names) : ''}`;
}

/** A run of values with the same step between them. */
export interface ValueRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Ascending values as few ranges: `[0, 15, 30, 45]` is one. */
export function rangesOf(values: readonly number[]): ValueRange[] {
  const found: ValueRange[] = [];
  for (let at = 0; at < values.length;) {
    const start = values[at] ?? 0;
    const step = (values[at + 1] ?? start) - start || 1;
    let last = at;
    while (values[last + 1] === (values[last] ?? 0) + step) last += 1;
    // Two values with a gap are no range to anybody who reads it.
    if (last === at + 1 && step > 1) last = at;
    found.push({ start, end: values[last] ?? start, step: last === at ? 1 : step });
    at = last + 1;
  }
  return found;
}
