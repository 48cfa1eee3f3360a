import { SluiceError } from './errors.ts';

/** A piece of the ISO text that a written date or time is turned into. Groups are those of the form's grammar, from 1. */
export type TimePart =
  | { readonly kind: 'text'; readonly text: string }
  /** Digits, filled up to two with a zero. */
  | { readonly kind: 'digits'; readonly group: number }
  | { readonly kind: 'as-is'; readonly group: number }
  /** Two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068, as POSIX has it. */
  | { readonly kind: 'century'; readonly group: number }
  /** The name of a month, in English and in any case. */
  | { readonly kind: 'month'; readonly group: number }
  | { readonly kind: 'hour12'; readonly group: number; readonly half: number };

/** How a date or time is written, ready for every engine. */
export type TimeForm =
  /** `grammar` is a regular expression in the common subset, for the whole text. */
  | { readonly kind: 'form'; readonly grammar: string; readonly parts: readonly TimePart[] }
  /** Whole seconds or milliseconds since 1970. */
  | { readonly kind: 'unix'; readonly grammar: string; readonly milliseconds: boolean }
  /** As the types' own grammars have it; a timestamp may lack its zone. */
  | { readonly kind: 'iso' };

export const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] as const;
const LONG = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july'],
  ...['august', 'september', 'october', 'november', 'december'],
];

const anyCase = (word: string): string => word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);

const TOKENS: Readonly<Record<string, string>> = {
  YYYY: '[0-9]{4}',
  YY: '[0-9]{2}',
  MMMM: LONG.map(anyCase).join('|'),
  MMM: months.map(anyCase).join('|'),
  MM: '[0-9]{2}',
  M: '[0-9]{1,2}',
  DD: '[0-9]{2}',
  D: '[0-9]{1,2}',
  HH: '[0-9]{2}',
  H: '[0-9]{1,2}',
  hh: '0[1-9]|1[0-2]',
  h: '0?[1-9]|1[0-2]',
  A: '[AaPp][Mm]',
  mm: '[0-9]{2}',
  ss: '[0-9]{2}',
  SSS: '[0-9]{1,9}',
  Z: 'Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9]',
};
const TOKEN = /YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|hh|h|A|mm|ss|SSS|Z|\[[^\]]*\]|[\s\S]/g;

/**
 * Reads a format like `MM/DD/YYYY`, `D MMM YY h:mm A` or `[on] YYYY.MM.DD`; `ISO`, `unix` and `unix-ms` stand for themselves.
 * @throws SluiceError `DefinitionInvalid`, naming what cannot be read
 */
export function compileTimeFormat(format: string, type: 'date' | 'timestamp'): TimeForm {
  if (format === 'ISO') return { kind: 'iso' };
  if (format === 'unix' || format === 'unix-ms') {
    const milliseconds = format === 'unix-ms';
    if (type === 'date') throw refused(format, 'is a moment, and the column is a date: make it a timestamp');
    // So many digits that no year needs more than four.
    return { kind: 'unix', grammar: `-?[0-9]{1,${milliseconds ? 13 : 10}}`, milliseconds };
  }
  const groups = new Map<string, number>();
  let grammar = '';
  for (const [token] of format.matchAll(TOKEN)) {
    const known = TOKENS[token];
    if (known !== undefined) {
      if (groups.has(token)) throw refused(format, `has ${token} twice`);
      groups.set(token, groups.size + 1);
      grammar += `(${known})`;
      continue;
    }
    const text = token.length > 1 ? token.slice(1, -1) : token;
    if (token.length === 1 && /[A-SU-Za-z]/.test(token)) {
      throw refused(format, `has the letter ${token}, which stands for nothing: put texts into [ ]`);
    }
    grammar += text.replaceAll(/[$()*+./?[\\\]^{|}-]/g, '\\$&');
  }
  return { kind: 'form', grammar, parts: partsOf(format, type, groups) };
}

function partsOf(format: string, type: 'date' | 'timestamp', groups: ReadonlyMap<string, number>): TimePart[] {
  const one = (what: string, ...tokens: string[]): { token: string; group: number } | undefined => {
    const found = tokens.filter((token) => groups.has(token));
    if (found.length > 1) throw refused(format, `says the ${what} twice (${found.join(', ')})`);
    const [token] = found;
    return token === undefined ? undefined : { token, group: groups.get(token) ?? 0 };
  };
  const year = one('year', 'YYYY', 'YY');
  const month = one('month', 'MMMM', 'MMM', 'MM', 'M');
  const day = one('day', 'DD', 'D');
  const hour = one('hour', 'HH', 'H', 'hh', 'h');
  if (!year || !month || !day)
    throw refused(format, 'needs a year (YYYY or YY), a month (MM, M, MMM or MMMM) and a day (DD or D)');
  const half = groups.get('A');
  const twelve = hour?.token.startsWith('h') === true;
  if (twelve !== (half !== undefined)) throw refused(format, 'needs both h and A for hours of half a day, or H');
  const minute = groups.get('mm');
  const second = groups.get('ss');
  const fraction = groups.get('SSS');
  const zone = groups.get('Z');
  if (
    (minute !== undefined && !hour) ||
    (second !== undefined && minute === undefined) ||
    (fraction !== undefined && second === undefined)
  ) {
    throw refused(format, 'has a part of a time without the larger one');
  }
  const text = (dash: string): TimePart => ({ kind: 'text', text: dash });
  const digits = (group: number | undefined): TimePart =>
    group === undefined ? text('00') : { kind: 'digits', group };
  const date: TimePart[] = [
    year.token === 'YYYY' ? { kind: 'as-is', group: year.group } : { kind: 'century', group: year.group },
    text('-'),
    month.token.length > 2 ? { kind: 'month', group: month.group } : digits(month.group),
    text('-'),
    digits(day.group),
  ];
  if (type === 'date') return date;
  return [
    ...date,
    text('T'),
    twelve && hour && half !== undefined ? { kind: 'hour12', group: hour.group, half } : digits(hour?.group),
    text(':'),
    digits(minute),
    text(':'),
    digits(second),
    ...(fraction === undefined ? [] : [text('.'), { kind: 'as-is', group: fraction } as const]),
    ...(zone === undefined ? [] : [{ kind: 'as-is', group: zone } as const]),
  ];
}

function refused(format: string, why: string): SluiceError {
  return new SluiceError('DefinitionInvalid', `The format ${JSON.stringify(format)} ${why}.`);
}
