import { durationMs } from '../../definition/duration.ts';
import type { MonitorRule } from '../../definition/incidents.ts';
import type { MonitorSettings } from '../../definition/monitors.ts';
import type { HourMeasures } from './measures.ts';
import { age, amount, percent, points, seconds } from './words.ts';

/** A scale in which equal changes are equally odd, and back. */
export interface Scale {
  to(value: number): number;
  from(y: number): number;
}

/** A series that is judged: how, and what it is called. */
export interface Kind {
  readonly rule: MonitorRule;
  readonly subject?: string;
  /** What was found, as the beginning of a sentence: `16,201 rows were read`. */
  readonly says: (value: string) => string;
  readonly text: (value: number) => string;
  /** A change in words: `12.5 percentage points`. Percent of what was expected where left out. */
  readonly change?: (by: number) => string;
  /** Numbers of a column are told apart by what lies between its quartiles. */
  readonly scale: Scale | 'spread';
  /** Only more is odd. */
  readonly onlyMore?: true;
  /** One alone is nobody's concern: a second in a row has to be as far off. */
  readonly patient?: true;
  /** It is about what is in the rows: under another definition it is another series, and the same content again is no new value of it. */
  readonly ofData: boolean;
  /** A smaller change is none. @param expected what is usual */
  least(settings: MonitorSettings, expected: number): number;
  /** Bounds that hold whatever is usual. */
  bounds(settings: MonitorSettings): { readonly min?: number | undefined; readonly max?: number | undefined };
  /** What chance alone does to it: a standard deviation in its scale, at least. */
  noise(measures: HourMeasures, expected: number): number;
}

const logarithm = (offset: number): Scale => ({
  to: (value) => Math.log(value + offset),
  from: (y) => Math.max(0, Math.exp(y) - offset),
});
/** Makes the chance in a share the same for small and large ones. */
const share: Scale = {
  to: (value) => Math.asin(Math.sqrt(Math.min(1, Math.max(0, value)))),
  from: (y) => Math.sin(Math.min(Math.PI / 2, Math.max(0, y))) ** 2,
};

const HOUR_MS = 3_600_000;
const asSeconds = (text: string | number | undefined): number | undefined =>
  typeof text === 'string' ? durationMs(text) / 1_000 : text;
const asHours = (text: string | number | undefined): number | undefined =>
  typeof text === 'string' ? durationMs(text) / HOUR_MS : text;
const asNumber = (value: string | number | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;
const asShare = (value: string | number | undefined): number | undefined =>
  typeof value === 'number' ? value / 100 : undefined;
/** The larger of a least change and a least part of what is expected. */
const larger = (absolute: number, percentOf: number, expected: number): number =>
  Math.max(absolute, (percentOf / 100) * expected);

const countOf = (
  rule: MonitorRule,
  says: Kind['says'],
  { absolute, relative, noise }: { absolute: number; relative: number; noise: boolean },
  offset = 1,
): Kind => ({
  ...{ rule, says, text: amount, scale: logarithm(offset), ofData: true },
  least: ({ leastChange, leastChangePercent = relative }, expected) =>
    larger(asNumber(leastChange) ?? absolute, leastChangePercent, expected),
  bounds: ({ min, max }) => ({ min, max: asNumber(max) }),
  noise: (_, expected) => (noise ? 1 / Math.sqrt(expected + 1) : 0),
});

const shareOf = (rule: MonitorRule, says: Kind['says'], leastPoints: number, of: 'rows' | 'clean'): Kind => ({
  ...{ rule, says, text: percent, change: points, scale: share, ofData: true },
  least: ({ leastChange }) => (asNumber(leastChange) ?? leastPoints) / 100,
  bounds: ({ max }) => ({ max: asShare(max) }),
  noise: ({ values }) => 0.5 / Math.sqrt(Math.max(1, values[of] ?? 1)),
});

const numberOf = (says: Kind['says']): Kind => ({
  ...{ rule: 'distribution', says, text: amount, scale: 'spread', ofData: true },
  // In parts of the spread, as the scale has it.
  least: ({ leastChangePercent = 20 }) => leastChangePercent / 100,
  bounds: () => ({}),
  noise: ({ values }) => 1.5 / Math.sqrt(Math.max(1, values['clean'] ?? 1)),
});

const quiet = (): number => 0;

/** What a series is, by its name in the measures; undefined where it is not judged by itself. */
export function kindOf(key: string): Kind | undefined {
  const slash = key.indexOf('/');
  const [name, subject] = slash < 0 ? [key, undefined] : [key.slice(0, slash), key.slice(slash + 1)];
  const kind = kindNamed(name, subject ?? '');
  return kind && subject !== undefined ? { ...kind, subject } : kind;
}

function kindNamed(name: string, subject: string): Kind | undefined {
  switch (name) {
    case 'rows':
      // Rows have three problems, so each needs a name.
      return {
        ...countOf('rows', (value) => `${value} rows were read`, { absolute: 20, relative: 20, noise: true }),
        subject: 'read',
      };
    case 'duplicates':
    case 'filtered':
      // Its bounds are those of the number of rows.
      return {
        ...shareOf('rows', (value) => `${value} of the rows were ${name}`, 5, 'rows'),
        ...{ subject: name, least: () => 0.05, bounds: () => ({}) },
      };
    case 'rejected':
      return { ...shareOf('rejected', (value) => `${value} of the rows were rejected`, 1, 'rows'), onlyMore: true };
    case 'missing':
      return shareOf('missing', (value) => `${value} of the rows have no ${subject}`, 2, 'clean');
    case 'distinct':
      return countOf('distinct', (value) => `${subject} has ${value} different values`, {
        absolute: 2,
        relative: 20,
        noise: false,
      });
    case 'mean':
      return numberOf((value) => `the mean of ${subject} is ${value}`);
    case 'duration':
      return {
        ...{ rule: 'duration', says: (value) => `${subject} took ${value}`, text: seconds, scale: logarithm(1) },
        ...{ ofData: false, onlyMore: true, patient: true, noise: quiet },
        least: ({ leastChange, leastChangePercent = 100 }, expected) =>
          larger(asSeconds(leastChange) ?? 30, leastChangePercent, expected),
        bounds: ({ max }) => ({ max: asSeconds(max) }),
      };
    case 'lag':
      return {
        ...countOf(
          'lag',
          (value) => `${value} records had not landed when the run was over`,
          { absolute: 1_000, relative: 200, noise: false },
          100,
        ),
        ...{ ofData: false, onlyMore: true },
      };
    case 'age':
      return {
        ...{
          rule: 'freshness',
          says: (value) => `the newest ${subject} was ${value} old when it was fetched`,
          text: age,
          scale: logarithm(1),
        },
        ...{ ofData: false, onlyMore: true, noise: quiet },
        least: ({ leastChange, leastChangePercent = 50 }, expected) =>
          larger(asHours(leastChange) ?? 2, leastChangePercent, expected),
        bounds: ({ max }) => ({ max: asHours(max) }),
      };
    default:
      return /^q0\.\d+$/.test(name)
        ? numberOf((value) => `the ${quantile(name)} of ${subject} is ${value}`)
        : undefined;
  }
}

const quantile = (name: string): string => (name === 'q0.5' ? 'median' : `${Number(name.slice(1)) * 100} % quantile`);

/** Equal changes in parts of a spread. */
export const inSpreads = (unit: number): Scale => ({ to: (value) => value / unit, from: (y) => y * unit });

/** That of a helper: how many different values a row that has one brings. */
export const perRow: Scale = logarithm(0);
