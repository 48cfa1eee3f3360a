import type { ColumnType } from './columns.ts';

// What a text must look like to be a value of a type, decided before anything is cast, and the one text that stands for
// that value from then on. The same for SQL is in `stages/cleaning/sql/lexical-sql.ts`; the tests hold the two together.

const YEAR = '(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)';
const LEAP_YEAR = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)';
const MONTH_DAY =
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))';
const DATE = `(?:${YEAR}-${MONTH_DAY}|${LEAP_YEAR}-02-29)`;
const TIME = '(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,9})?)?';
const ZONE = '(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])';
export const TRUE = '[Tt][Rr][Uu][Ee]|[Tt]|[Yy][Ee][Ss]|[Yy]|1';
const FALSE = '[Ff][Aa][Ll][Ss][Ee]|[Ff]|[Nn][Oo]|[Nn]|0';

/** A timestamp without its zone. */
export const LOCAL_TIMESTAMP = `${DATE}[T ]${TIME}`;

/**
 * One regular expression a type, for the whole text, in the common subset of RE2, Java and JavaScript.
 *
 * - `integer`: digits with an optional sign.
 * - `decimal`: digits with an optional sign and point; no exponent, no thousands separator.
 * - `boolean`: true, t, yes, y, 1, false, f, no, n, 0, in any case.
 * - `date`: a day of the calendar, 0001-01-01 to 9999-12-31.
 * - `timestamp`: date, `T` or a space, hours and minutes, optional seconds and fraction, and a zone.
 */
export const grammars: Readonly<Record<ColumnType, string>> = {
  string: '[\\s\\S]*',
  integer: '[+-]?[0-9]+',
  decimal: '[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)',
  boolean: `${TRUE}|${FALSE}`,
  date: DATE,
  timestamp: `${LOCAL_TIMESTAMP}${ZONE}`,
};

const compiled = Object.fromEntries(
  Object.entries(grammars).map(([type, grammar]) => [type, new RegExp(`^(?:${grammar})$`)]),
) as Record<ColumnType, RegExp>;
const isTrue = new RegExp(`^(?:${TRUE})$`);

/** A type with what a decimal needs besides. */
export interface LexicalType {
  readonly type: ColumnType;
  readonly precision: number;
  readonly scale: number;
}

/** Why a text is no value of a type: not its grammar, too many digits in all, or too many after the point. */
export type LexicalRule = 'type' | 'precision' | 'scale';

/** Digits that every Int64 has room for, and its bounds as text of that many digits. */
export const INT64_DIGITS = 19;
export const INT64_MAX = '9223372036854775807';
export const INT64_MIN = '9223372036854775808';

/**
 * The canonical text of a value, or the rule that the text breaks.
 *
 * - integer and decimal: no `+`, no superfluous zeros, no trailing point, never `-0`. Integers have 64 bits.
 * - boolean: `true` or `false`.
 * - timestamp: `YYYY-MM-DDTHH:MM:SS.sssZ`; what is finer than a millisecond is cut off.
 */
export function canonicalText({ type, precision, scale }: LexicalType, text: string): { value: string } | LexicalRule {
  if (!compiled[type].test(text)) return 'type';
  switch (type) {
    case 'string':
    case 'date':
      return { value: text };
    case 'boolean':
      return { value: isTrue.test(text) ? 'true' : 'false' };
    case 'timestamp':
      return canonicalTimestamp(text);
    case 'integer':
    case 'decimal': {
      const { negative, whole, fraction } = digitsOf(text);
      if (type === 'decimal' && fraction.length > scale) return 'scale';
      if (type === 'decimal' && whole.length > precision - scale) return 'precision';
      const bound = negative ? INT64_MIN : INT64_MAX;
      if (type === 'integer' && (whole.length > INT64_DIGITS || whole.padStart(INT64_DIGITS, '0') > bound)) {
        return 'precision';
      }
      const sign = negative && (whole !== '' || fraction !== '') ? '-' : '';
      return { value: `${sign}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}` };
    }
  }
}

function digitsOf(text: string): { negative: boolean; whole: string; fraction: string } {
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  return { negative: text.startsWith('-'), whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') };
}

function canonicalTimestamp(text: string): { value: string } | LexicalRule {
  const zone = /(?:Z|[+-]\d\d:?\d\d)$/.exec(text)?.[0] ?? 'Z';
  const [seconds = '', fraction = ''] = text.slice(16, text.length - zone.length).split('.');
  const local = `${text.slice(0, 10)}T${text.slice(11, 16)}${seconds || ':00'}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const offset = zone === 'Z' ? 0 : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)));
  const value = new Date(Date.parse(local) - offset * 60_000).toISOString();
  // Other years than 0001 to 9999, which a zone can lead to, are written with a sign or as 0000.
  return value.length === 24 && !value.startsWith('0000') ? { value } : 'type';
}

/**
 * A regular expression of texts that are canonical already and break no rule of the type, so that nothing has to be done
 * to them; undefined where it would tell no more than the grammar. Engines use it as a short cut for most rows.
 */
export function canonicalForm({ type, precision, scale }: LexicalType): string | undefined {
  switch (type) {
    case 'string':
    case 'date':
      return undefined;
    case 'boolean':
      return 'true|false';
    case 'timestamp':
      return `${DATE}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z`;
    case 'integer':
      return '0|-?[1-9][0-9]{0,17}';
    case 'decimal': {
      const digits = precision - scale;
      const fraction = scale === 0 ? '' : `\\.${scale === 1 ? '' : `[0-9]{0,${scale - 1}}`}[1-9]`;
      const whole = digits === 0 ? '' : `[1-9]${digits === 1 ? '' : `[0-9]{0,${digits - 1}}`}`;
      const forms = [
        ...(whole === '' ? [] : [fraction === '' ? whole : `${whole}(?:${fraction})?`]),
        ...(fraction === '' ? [] : [`0${fraction}`]),
      ];
      return `0|-?(?:${forms.join('|')})`;
    }
  }
}

/**
 * A regular expression of texts that are canonical, and break no rule of the type, once the zeros at their end and then a
 * point there are taken off: 12.50, 3.0. The next short cut, for numbers that were written with as many digits each.
 */
export function paddedForm({ type, precision, scale }: LexicalType): string | undefined {
  if (type !== 'decimal' || scale === 0) return undefined;
  const digits = precision - scale;
  const whole = digits === 0 ? '0' : `(?:0|-?[1-9]${digits === 1 ? '' : `[0-9]{0,${digits - 1}}`})`;
  return `${whole}\\.[0-9]{0,${scale}}`;
}
