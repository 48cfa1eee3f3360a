import type { CleanRules } from '../rules.ts';
import type { Dialect } from './dialect.ts';
import { outputNames, staysSql } from './plan.ts';

/** The cells of clean.csv, texts in the order of `rules.header`, for the rows of `FROM ${chosenFrom}`. */
export function chosenCells(rules: CleanRules, files: readonly string[], sql: Dialect): string[] {
  const prefix = rules.prefix.map((name) => (name === '_file' ? fileSql(files, sql) : `CAST(_row AS ${sql.textType})`));
  return [...prefix, ...outputNames(rules)];
}

function fileSql(files: readonly string[], sql: Dialect): string {
  return files.length === 1 ? sql.text(files[0] ?? '') : sql.pick(files, '_file');
}

/** The rows of clean.csv. @param ranked As {@link rankedSql} makes them. */
export function chosenFrom(rules: CleanRules, ranked: string): string {
  return `(${ranked}) AS ranked WHERE ${staysSql(rules)}`;
}

/**
 * The same rows for engines that keep less in memory when they look at the keys alone first: duplicates are found by their keys, and
 * taken out of the rest. @param kept As `keptSql` has it.
 */
export function chosenByKey(rules: CleanRules, kept: string, ranked: string): string {
  // Rows that are equal in every column are found by all of them.
  if (rules.key.length === 0 || rules.exact) return chosenFrom(rules, ranked);
  const lost = `SELECT _row FROM (${ranked}) AS numbered WHERE NOT (${staysSql(rules)})`;
  return `(${kept}) AS ranked ANTI JOIN (${lost}) AS lost USING (_row)`;
}

/** `_row, bad, rule` of every rejected row. @param judged The name of a table. */
export function rejectsSql(rules: CleanRules, judged: string, ranked: string): string {
  const own = `SELECT _row, bad, rule FROM ${judged} WHERE bad IS NOT NULL`;
  if (rules.keep !== 'reject' || rules.key.length === 0) return own;
  const conflicting = `SELECT _row, ${rules.key[0] ?? 0} AS bad, 'duplicate' AS rule FROM (${ranked}) AS ranked WHERE times > 1`;
  return `${own} UNION ALL ${conflicting}`;
}

/** All rows of `judged`, those that are kept, and those that break a rule of their own. */
export function tallySql(judged: string, kept: string): string {
  return `SELECT (SELECT count(*) FROM ${judged}) AS n, (SELECT count(*) FROM (${kept}) AS kept) AS kept,
    (SELECT count(bad) FROM ${judged}) AS bad`;
}

/** A relation without rows, with the parsed object's columns by position. */
export function noRowsSql(width: number, sql: Dialect): string {
  const columns = Array.from({ length: width }, () => `CAST(NULL AS ${sql.textType})`);
  const numbers = Array.from({ length: 4 }, () => 'CAST(0 AS BIGINT)');
  return `(SELECT ${[...columns, ...numbers].join(', ')} WHERE false)`;
}
