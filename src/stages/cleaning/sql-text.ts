import type { LexicalType } from '../../definition/lexical.ts';
import { fromScaled } from '../../formats/decimal.ts';

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A canonical number text and a scaled number as two SQL expressions of the same exact type. */
export function canonicalNumberSql(
  { type, precision, scale }: LexicalType,
  text: string,
  scaled: bigint,
): { number: string; literal: string } {
  const [sqlType, digits] = type === 'integer' ? ['HUGEINT', 0] : [`DECIMAL(${precision},${scale})`, scale];
  return {
    number: `TRY_CAST(${text} AS ${sqlType})`,
    literal: `CAST(${sqlText(fromScaled(scaled, digits))} AS ${sqlType})`,
  };
}
