import {
  canonicalForm,
  grammars,
  INT64_DIGITS,
  INT64_MAX,
  INT64_MIN,
  paddedForm,
  TRUE,
  type LexicalType,
} from '../../../definition/lexical.ts';
import { fromScaled } from '../../../formats/decimal.ts';
import type { Dialect } from './dialect.ts';

/**
 * `canonicalText` for SQL: the rule that a text breaks, NULL where it is a value.
 * @param text An SQL expression that is a text and not NULL.
 */
export function lexicalRuleSql({ type, precision, scale }: LexicalType, text: string, sql: Dialect): string {
  if (type === 'string') return 'NULL';
  const cases = [`WHEN NOT ${sql.is(text, grammars[type])} THEN 'type'`];
  if (type === 'timestamp') {
    cases.push(`WHEN coalesce(year(${instantSql(text, sql)}) NOT BETWEEN 1 AND 9999, true) THEN 'type'`);
  }
  if (type === 'decimal') {
    cases.push(`WHEN length(${fractionSql(text, sql)}) > ${scale} THEN 'scale'`);
    cases.push(`WHEN length(${wholeSql(text, sql)}) > ${precision - scale} THEN 'precision'`);
  }
  if (type === 'integer') {
    const digits = wholeSql(text, sql);
    const bound = `CASE WHEN ${sql.startsWith(text, '-')} THEN '${INT64_MIN}' ELSE '${INT64_MAX}' END`;
    cases.push(
      `WHEN length(${digits}) > ${INT64_DIGITS} OR lpad(${digits}, ${INT64_DIGITS}, '0') > ${bound} THEN 'precision'`,
    );
  }
  return `CASE ${cases.join(' ')} END`;
}

/** Whether {@link quickSql} knows a text's canonical form; undefined for types without a short cut. */
export function quickForm(lexical: LexicalType): ((text: string) => boolean) | undefined {
  const form = canonicalForm(lexical);
  if (form === undefined) return undefined;
  const forms = new RegExp(`^(?:${[form, paddedForm(lexical) ?? form].join('|')})$`);
  return (text) => forms.test(text);
}

/**
 * The canonical text of most texts, NULL for those that need a closer look; undefined for types without a short cut.
 * @param text An SQL expression that is a text.
 */
export function quickSql(lexical: LexicalType, text: string, sql: Dialect): string | undefined {
  const form = canonicalForm(lexical);
  if (form === undefined) return undefined;
  const padded = paddedForm(lexical);
  const cut = sql.trimRight(sql.trimRight(text, '0'), '.');
  return `CASE WHEN ${sql.is(text, form)} THEN ${text}${padded === undefined ? '' : ` WHEN ${sql.is(text, padded)} THEN ${cut}`} END`;
}

/** The canonical text for SQL, of texts that {@link lexicalRuleSql} lets pass. */
export function canonicalSql({ type }: LexicalType, text: string, sql: Dialect): string {
  switch (type) {
    case 'string':
    case 'date':
      return text;
    case 'boolean':
      return `CASE WHEN ${sql.is(text, TRUE)} THEN 'true' ELSE 'false' END`;
    case 'timestamp':
      return `${sql.isoSeconds(instantSql(text, sql))} || '.' || ${millisecondsSql(text)} || 'Z'`;
    case 'integer':
    case 'decimal': {
      const [whole, fraction] = [wholeSql(text, sql), fractionSql(text, sql)];
      return (
        `CASE WHEN ${sql.startsWith(text, '-')} AND (${whole} <> '' OR ${fraction} <> '') THEN '-' ELSE '' END || ` +
        `CASE WHEN ${whole} = '' THEN '0' ELSE ${whole} END || ` +
        `CASE WHEN ${fraction} = '' THEN '' ELSE '.' || ${fraction} END`
      );
    }
  }
}

/** A canonical number text and a scaled number as two SQL expressions of the same exact type. */
export function canonicalNumberSql(
  lexical: LexicalType,
  text: string,
  scaled: bigint,
  sql: Dialect,
): { number: string; literal: string } {
  const type = numberType(lexical, sql);
  const digits = lexical.type === 'integer' ? 0 : lexical.scale;
  return {
    number: `TRY_CAST(${text} AS ${type})`,
    literal: `CAST(${sql.text(fromScaled(scaled, digits))} AS ${type})`,
  };
}

/** The exact SQL type of a number column. */
export function numberType({ type, precision, scale }: LexicalType, sql: Dialect): string {
  return type === 'integer' ? sql.whole : `DECIMAL(${precision},${scale})`;
}

const wholeSql = (text: string, sql: Dialect): string =>
  sql.trimLeft(`split_part(${sql.trimLeft(text, '+-')}, '.', 1)`, '0');
const fractionSql = (text: string, sql: Dialect): string => sql.trimRight(`split_part(${text}, '.', 2)`, '0');
const millisecondsSql = (text: string): string =>
  `left(rpad(split_part(split_part(split_part(split_part(${text}, '.', 2), 'Z', 1), '+', 1), '-', 1), 3, '0'), 3)`;

/** The instant of a timestamp to the second, in UTC; NULL where there is none. */
function instantSql(text: string, sql: Dialect): string {
  const seconds = `CASE WHEN substr(${text}, 17, 1) = ':' THEN substr(${text}, 18, 2) ELSE '00' END`;
  const local = `substr(${text}, 1, 10) || ' ' || substr(${text}, 12, 5) || ':' || ${seconds}`;
  // The last six characters, with or without their colon: +02:00, 0+0200.
  const tail = `right(${text}, 6)`;
  const digits = `replace(${tail}, ':', '')`;
  const minutes = `TRY_CAST(left(right(${digits}, 4), 2) AS INTEGER) * 60 + TRY_CAST(right(${digits}, 2) AS INTEGER)`;
  const negative = `left(right(${digits}, 5), 1) = '-'`;
  const offset = `CASE WHEN right(${text}, 1) = 'Z' THEN 0 WHEN ${negative} THEN -(${minutes}) ELSE ${minutes} END`;
  return sql.instant(local, offset);
}
