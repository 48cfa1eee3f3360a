import type { DuckDBConnection } from '@duckdb/node-api';
import { join } from 'node:path';
import { withDuckDb } from './duckdb.ts';
import { factsOf, rowsOf, type CleanEngine, type CleanJob, type CleanOutcome } from '../engine.ts';
import type { CleanRules } from '../rules.ts';
import { duckdbDialect as sql } from '../sql/duckdb-dialect.ts';
import { fillTexts } from '../sql/fill-sql.ts';
import { judgedSql, keptSql, missingSql, preparedSql, rankedSql } from '../sql/plan.ts';
import { chosenByKey, chosenCells, noRowsSql, rejectsSql, tallySql } from '../sql/results.ts';

/**
 * Cleans with DuckDB: streams the Parquet parts through one query, spills what does not fit, and writes clean.csv itself.
 * The default for all but small files.
 */
export const duckdbEngine: CleanEngine = {
  name: 'duckdb',
  async clean(job) {
    return withDuckDb(job.folder, job.context, (connection) => cleanWith(connection, job));
  },
};

async function cleanWith(connection: DuckDBConnection, job: CleanJob): Promise<CleanOutcome> {
  const { rules, files, folder } = job;
  const parts = await job.parts.local();
  const cleanPath = join(folder, 'clean.csv');
  const rejectsPath = join(folder, 'found-rejects.csv');
  // As hex: the library takes U+FEFF off the beginning of a text.
  const ask = async (query: string): Promise<(string | null)[][]> =>
    (await connection.runAndReadAll(`SELECT hex(COLUMNS(*)) FROM (${query}) AS asked`))
      .getRowsJS()
      .map((row) => row.map((cell) => (typeof cell === 'string' ? Buffer.from(cell, 'hex').toString() : null)));

  const prepared = preparedSql(rules, parsedSql(rules, parts), sql);
  await connection.run(`CREATE TABLE judged AS ${judgedSql(rules, prepared, sql)}`);
  const [counted = []] = (await connection.runAndReadAll(missingSql(rules, 'judged'))).getRowsJS();
  const fills = await fillTexts(rules, 'judged', sql, ask);
  const kept = keptSql(rules, 'judged', fills, sql);
  const ranked = rankedSql(rules, kept, sql);
  const copied =
    await connection.run(`COPY (${chosenSql(rules, chosenByKey(rules, kept, ranked), files)}) TO ${sql.text(cleanPath)}
    (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
  const clean = copied.rowsChanged;
  const rejects = await connection.run(
    `COPY (SELECT * FROM (${rejectsSql(rules, 'judged', ranked)}) AS rejects ORDER BY _row) TO ${sql.text(rejectsPath)} (FORMAT csv, HEADER false)`,
  );
  const rejected = rejects.rowsChanged;
  const [tally = []] = (await connection.runAndReadAll(tallySql('judged', kept))).getRowsJS();
  return {
    cleanPath,
    rejectsPath,
    rows: rowsOf(rules, tally.map(Number), clean, rejected),
    ...factsOf(rules, counted.map(Number), fills),
  };
}

function parsedSql(rules: CleanRules, parts: readonly string[]): string {
  if (parts.length > 0) return `read_parquet([${parts.map((part) => sql.text(part)).join(', ')}])`;
  return noRowsSql(rules.width, sql);
}

/** The rows of clean.csv, in source order. */
function chosenSql(rules: CleanRules, chosen: string, files: readonly string[]): string {
  const cells = chosenCells(rules, files, sql).map((cell, at) => `${cell} AS ${sql.name(rules.header[at] ?? '')}`);
  return `SELECT ${cells.join(', ')} FROM ${chosen} ORDER BY ranked._row`;
}
