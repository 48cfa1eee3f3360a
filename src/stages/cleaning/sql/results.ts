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
