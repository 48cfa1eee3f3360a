import type { LexicalType } from '../../../definition/lexical.ts';
import type { Test } from '../condition.ts';
import type { Comparison, NumericBound } from '../numeric-bound.ts';
import type { Dialect } from './dialect.ts';
import { canonicalNumberSql } from './lexical-sql.ts';

const comparisons: Readonly<Record<Comparison, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

/** A condition for SQL, never NULL. @param column The canonical text at a position, an SQL expression. */
export function conditionSql(test: Test, column: (at: number) => string, sql: Dialect): string {
  switch (test.kind) {
    case 'all':
    case 'any':
      return `(${test.of.map((inner) => conditionSql(inner, column, sql)).join(test.kind === 'all' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `(NOT ${conditionSql(test.of, column, sql)})`;
    case 'missing':
      return `(${column(test.at)} IS NULL)`;
    case 'matches':
      return `coalesce(${sql.matches(column(test.at), test.pattern)}, false)`;
    case 'text':
      return `coalesce(${column(test.at)} ${comparisons[test.is]} ${sql.text(test.value)}, false)`;
    case 'number':
      return boundSql(test.bound, test.lexical, column(test.at), sql);
  }
}

/** A bound for SQL, false where the value is missing. @param text A canonical text, an SQL expression. */
export function boundSql(bound: NumericBound, lexical: LexicalType, text: string, sql: Dialect): string {
  if ('always' in bound) return bound.always ? `(${text} IS NOT NULL)` : 'false';
  const { number, literal } = canonicalNumberSql(lexical, text, bound.scaled, sql);
  return `coalesce(${number} ${comparisons[bound.is]} ${literal}, false)`;
}

/** All bounds of a range for SQL, false where the value is missing; both ends in one, so that the text is cast once. */
export function rangeSql(range: readonly NumericBound[], lexical: LexicalType, text: string, sql: Dialect): string {
  const [low, high] = range;
  if (low && high && 'is' in low && 'is' in high && low.is === 'gte' && high.is === 'lte') {
    const { number, literal } = canonicalNumberSql(lexical, text, low.scaled, sql);
    const upper = canonicalNumberSql(lexical, text, high.scaled, sql).literal;
    return `coalesce(${number} BETWEEN ${literal} AND ${upper}, false)`;
  }
  return `(${range.map((bound) => boundSql(bound, lexical, text, sql)).join(' AND ')})`;
}
