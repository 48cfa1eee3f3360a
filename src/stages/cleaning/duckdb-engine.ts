import type { DuckDBConnection } from '@duckdb/node-api';
import { join } from 'node:path';
import { withDuckDb } from './duckdb.ts';
import type { CleanEngine, CleanJob, CleanOutcome } from './engine.ts';
import type { CleanRules } from './rules.ts';
import { duckdbDialect as sql } from './sql/duckdb-dialect.ts';
import { fillTexts } from './sql/fill-sql.ts';
import { judgedSql, keptSql, missingSql, outputNames, preparedSql, rankedSql, staysSql } from './sql/plan.ts';

/**
 * Cleans with DuckDB: streams the Parquet parts through one query, spills what does not fit, and writes clean.csv itself.
 * The default, and the only engine for large files.
 */
export const duckdbEngine: CleanEngine = {
  name: 'duckdb',
  async clean(job) {
    return withDuckDb(job.folder, job.context, (connection) => cleanWith(connection, job));
  },
};

async function cleanWith(connection: DuckDBConnection, job: CleanJob): Promise<CleanOutcome> {
  const { rules, parts, files, folder } = job;
  const cleanPath = join(folder, 'clean.csv');
  const rejectsPath = join(folder, 'found-rejects.csv');
  const ask = async (query: string): Promise<(string | null)[][]> =>
    (await connection.runAndReadAll(query)).getRowsJS() as (string | null)[][];

  const prepared = preparedSql(rules, parsedSql(rules, parts), sql);
  await connection.run(`CREATE TABLE judged AS ${judgedSql(rules, prepared, sql)}`);
  const [counted = []] = (await connection.runAndReadAll(missingSql(rules, 'judged'))).getRowsJS();
  const fills = await fillTexts(rules, 'judged', sql, ask);
  const ranked = rankedSql(rules, keptSql(rules, 'judged', fills, sql), sql);
  const copied = await connection.run(`COPY (${chosenSql(rules, ranked, files)}) TO ${sql.text(cleanPath)}
    (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
  const clean = copied.rowsChanged;
  const rejects = await connection.run(
    `COPY (${rejectsSql(rules, ranked)}) TO ${sql.text(rejectsPath)} (FORMAT csv, HEADER false)`,
  );
  const rejected = rejects.rowsChanged;
  const [tally] = await countRows(connection, rules, fills);
  const [all = 0, kept = 0] = tally ?? [];
  const conflicting = rules.keep === 'reject' ? rejected - (tally?.[2] ?? 0) : 0;
  return {
    cleanPath,
    rejectsPath,
    rows: {
      clean,
      duplicates: kept - clean - conflicting,
      filtered: all - kept - (rejected - conflicting),
      rejected,
    },
    sound: Number(counted[0]),
    missing: Object.fromEntries(rules.columns.map(({ name }, at) => [name, Number(counted[at + 1] ?? 0)])),
    fills: Object.fromEntries([...fills].map(([at, text]) => [rules.columns[at]?.name ?? '', text])),
  };
}

/** All rows, those that are kept, and those that break a rule of their own. */
async function countRows(
  connection: DuckDBConnection,
  rules: CleanRules,
  fills: ReadonlyMap<number, string>,
): Promise<number[][]> {
  const query = `SELECT (SELECT count(*) FROM judged), (SELECT count(*) FROM (${keptSql(rules, 'judged', fills, sql)}) AS kept),
    (SELECT count(bad) FROM judged)`;
  return (await connection.runAndReadAll(query)).getRowsJS().map((row) => row.map(Number));
}

function parsedSql(rules: CleanRules, parts: readonly string[]): string {
  if (parts.length > 0) return `read_parquet([${parts.map((part) => sql.text(part)).join(', ')}])`;
  const columns = Array.from({ length: rules.width }, () => 'NULL::VARCHAR');
  return `(SELECT ${[...columns, '0::BIGINT', '0::BIGINT', '0::BIGINT', '0::BIGINT'].join(', ')} WHERE false)`;
}

/** The rows of clean.csv, in source order. */
function chosenSql(rules: CleanRules, ranked: string, files: readonly string[]): string {
  const file =
    files.length === 1 ? sql.text(files[0] ?? '') : `[${files.map((name) => sql.text(name)).join(', ')}][_file + 1]`;
  const prefix = rules.prefix.map((name) => (name === '_file' ? `${file} AS "_file"` : '_row AS "_row"'));
  const names = rules.header.slice(rules.prefix.length);
  const columns = outputNames(rules).map((column, at) => `${column} AS ${sql.name(names[at] ?? '')}`);
  return `SELECT ${[...prefix, ...columns].join(', ')} FROM (${ranked}) AS ranked WHERE ${staysSql(rules)} ORDER BY ranked._row`;
}

function rejectsSql(rules: CleanRules, ranked: string): string {
  const own = 'SELECT _row, bad, rule FROM judged WHERE bad IS NOT NULL';
  if (rules.keep !== 'reject' || rules.key.length === 0) return `${own} ORDER BY _row`;
  const conflicting = `SELECT _row, ${rules.key[0] ?? 0} AS bad, 'duplicate' AS rule FROM (${ranked}) AS ranked WHERE times > 1`;
  return `SELECT * FROM (${own} UNION ALL ${conflicting}) AS rejects ORDER BY _row`;
}
