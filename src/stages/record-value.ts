import type { OutputColumn } from '../definition/columns.ts';
import type { Value } from '../formats/arrow-columns.ts';
import type { Row } from '../formats/parquet.ts';

/** Digits that a JSON number keeps through a double and back. */
const EXACT_DIGITS = 15;

/** A row as canonical text per column: what clean.csv holds and what is landed. */
export type TextRow = Readonly<Record<string, string | null>>;

/**
 * A row as the JSON object of a Kafka record. Numbers stand as JSON numbers as long as any reader gets them back exactly:
 * decimals of up to 15 digits and integers below 2^53; others as strings.
 */
export function encodeValue(output: readonly OutputColumn[], row: TextRow): string {
  const members = output.map((column) => `${JSON.stringify(column.name)}:${literal(column, row[column.name] ?? null)}`);
  return `{${members.join(',')}}`;
}

function literal(column: OutputColumn, text: string | null): string {
  if (text === null) return 'null';
  switch (column.type) {
    case 'boolean':
      return text;
    case 'integer':
      return Number.isSafeInteger(Number(text)) ? text : JSON.stringify(text);
    case 'decimal':
      return (column.precision ?? EXACT_DIGITS + 1) <= EXACT_DIGITS ? text : JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}

/** The row of {@link encodeValue}, canonical text again; undefined where the bytes are no such object. */
export function decodeValue(output: readonly OutputColumn[], value: Buffer): Row | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString());
  } catch {
    return undefined;
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return undefined;
  const members = parsed as Record<string, unknown>;
  const row: Record<string, Value> = {};
  for (const column of output) {
    const member = members[column.name];
    if (typeof member === 'number') row[column.name] = plain(member, column.scale ?? 0);
    else if (typeof member === 'string' || typeof member === 'boolean') row[column.name] = member;
    else if (member === null || member === undefined) row[column.name] = null;
    else return undefined;
  }
  return row;
}

/** A number as decimal text without an exponent. */
function plain(number: number, scale: number): string {
  const text = String(number);
  return text.includes('e') ? number.toFixed(scale).replace(/\.?0+$/, '') : text;
}
