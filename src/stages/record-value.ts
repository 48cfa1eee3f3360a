import type { OutputColumn } from '../definition/columns.ts';
import type { Value } from '../formats/arrow-columns.ts';
import { scaledExactly } from '../formats/number-builders.ts';

/** Digits that a JSON number keeps through a double and back. */
const EXACT_DIGITS = 15;

/** A row as canonical text per column: what clean.csv holds and what is landed. */
export type TextRow = Readonly<Record<string, string | null>>;

/** The value of one column of a record, given its id and its clean row; the column's own one where left out. */
export type ColumnValue = (id: string, row: TextRow) => string | null;

/**
 * Makes rows the JSON objects of Kafka records. Numbers stand as JSON numbers as long as any reader gets them back exactly:
 * decimals of up to 15 digits and integers below 2^53; others as strings.
 * @param computed Columns that do not stand in the row, by name.
 */
export function valueEncoder(
  output: readonly OutputColumn[],
  computed: ReadonlyMap<string, ColumnValue> = new Map(),
): (id: string, row: TextRow) => string {
  const members = output.map((column) => ({
    literal: literalOf(column),
    valueOf: computed.get(column.name) ?? ((_: string, row: TextRow) => row[column.name]),
  }));
  // Names and braces stand between the values. Joined, not added up: a text of many pieces would be kept as these until it is sent.
  const pieces = output.flatMap(({ name }, at) => [`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`, '']);
  if (pieces.length === 0) pieces.push('{');
  pieces.push('}');
  return (id, row) => {
    for (const [at, { literal, valueOf }] of members.entries()) {
      const value = valueOf(id, row) ?? null;
      pieces[at * 2 + 1] = value === null ? 'null' : literal(value);
    }
    return pieces.join('');
  };
}

/** How a text of a column stands in JSON. */
function literalOf(column: OutputColumn): (text: string) => string {
  const plain = (text: string): string => text;
  switch (column.type) {
    case 'boolean':
      return plain;
    case 'integer':
      return (text) => (Number.isSafeInteger(Number(text)) ? text : JSON.stringify(text));
    case 'decimal':
      return (column.precision ?? EXACT_DIGITS + 1) <= EXACT_DIGITS ? plain : JSON.stringify;
    default:
      return JSON.stringify;
  }
}

/**
 * The values of {@link valueEncoder}, one for each column, canonical text again; undefined where the bytes are no such object.
 * @param numbers `exact`: numbers of number columns may stay what they are where they are as exact as their text, for whoever would make
 * them numbers again
 */
export function decodeValues(
  output: readonly OutputColumn[],
  value: Buffer,
  numbers: 'text' | 'exact' = 'text',
): Value[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    return undefined;
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return undefined;
  const members = parsed as Record<string, unknown>;
  const values: Value[] = [];
  for (const column of output) {
    const member = members[column.name];
    if (typeof member === 'number') {
      values.push(numbers === 'exact' && isExact(column, member) ? member : plainText(member, column.scale));
    } else if (typeof member === 'string' || typeof member === 'boolean') values.push(member);
    else if (member === null || member === undefined) values.push(null);
    else return undefined;
  }
  return values;
}

/** Whether a number is one of its column, so that its text would say the same. */
function isExact({ type, scale = 0 }: OutputColumn, number: number): boolean {
  if (type === 'integer') return Number.isSafeInteger(number);
  return type === 'decimal' && scaledExactly(number, 10 ** scale) !== undefined;
}

/** A number as decimal text without an exponent. */
export function plainText(number: number, scale = 0): string {
  const text = String(number);
  return text.includes('e') ? number.toFixed(scale).replace(/\.?0+$/, '') : text;
}
