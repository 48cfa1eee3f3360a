/** A way of writing numbers that is not the plain one: `1.234,5`. */
export interface WrittenNumber {
  readonly decimal: string;
  readonly thousands: string;
  /** The whole text of a number, for every engine alike. */
  readonly grammar: string;
}

/** What stands for a text that is no number written so: no type takes it, and so the row is rejected. */
export const NO_NUMBER = 'no number';

const escaped = (mark: string): string => mark.replaceAll(/[.]/g, '\\$&');

/** Undefined for the plain way, which needs no translation. */
export function writtenNumber(decimal: string, thousands: string): WrittenNumber | undefined {
  if (decimal === '.' && thousands === '') return undefined;
  const point = escaped(decimal);
  const groups = thousands === '' ? '' : `|[0-9]{1,3}(?:${escaped(thousands)}[0-9]{3})+`;
  return { decimal, thousands, grammar: `[+-]?(?:(?:[0-9]+${groups})(?:${point}[0-9]*)?|${point}[0-9]+)` };
}

/** A number as the lexical grammars know it. A text that is none is turned into one that is none for them either. */
export function plainNumber({ decimal, thousands, grammar }: WrittenNumber, text: string): string {
  if (!new RegExp(`^(?:${grammar})$`).test(text)) return NO_NUMBER;
  const joined = thousands === '' ? text : text.replaceAll(thousands, '');
  return joined.replace(decimal, '.');
}
