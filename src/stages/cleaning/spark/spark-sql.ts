import type { CleanRules } from '../rules.ts';
import type { Dialect } from '../sql/dialect.ts';
import { chosenCells, chosenFrom, rejectsSql } from '../sql/results.ts';

/** What a session has to agree with us on, whatever its server's own settings are. */
export const sessionSettings: Readonly<Record<string, string>> = {
  // First of all, or a text of a definition could hold ${env:…} and be given a variable of the server's own.
  'spark.sql.variable.substitute': 'false',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.ansi.enabled': 'true',
  // How literals are written: with escapes, in single quotes or double ones.
  'spark.sql.parser.escapedStringLiterals': 'false',
  'spark.sql.ansi.doubleQuotedIdentifiers': 'false',
  'spark.sql.legacy.timeParserPolicy': 'CORRECTED',
  // Names in a file may differ in case alone.
  'spark.sql.caseSensitive': 'true',
  'spark.sql.parquet.compression.codec': 'zstd',
  // A file for each partition, which is how their order is known.
  'spark.sql.files.maxRecordsPerFile': '0',
  // One copy on the object store instead of two. What is there before the job is done is not looked at.
  'mapreduce.fileoutputcommitter.algorithm.version': '2',
};

/** Files below a folder, in the order of the query; as text, of a query with one column. */
export function writeSql(folder: string, format: 'text' | 'parquet', query: string, sql: Dialect): string {
  return `INSERT OVERWRITE DIRECTORY ${sql.text(folder)} USING ${format} ${query}`;
}

/** The lines of clean.csv in source order, as `csvLine` writes them. */
export function cleanLinesSql(rules: CleanRules, ranked: string, files: readonly string[], sql: Dialect): string {
  const cells = chosenCells(rules, files, sql).map((cell) => csvCellSql(cell, sql));
  return `SELECT concat_ws(',', ${cells.join(', ')}) AS line FROM ${chosenFrom(rules, ranked)} ORDER BY ranked._row`;
}

/** The lines of the engine's rejects, in source order. */
export function rejectLinesSql(rules: CleanRules, ranked: string, sql: Dialect): string {
  const cells = ['_row', 'bad'].map((name) => `CAST(${name} AS ${sql.textType})`);
  return `SELECT concat_ws(',', ${[...cells, 'rule'].join(', ')}) AS line
    FROM (${rejectsSql(rules, 'judged', ranked)}) AS rejects ORDER BY _row`;
}

function csvCellSql(cell: string, sql: Dialect): string {
  const quoted = `concat('"', replace(${cell}, '"', '""'), '"')`;
  const plain = sql.is(cell, '[^",\\r\\n#]+');
  return `CASE WHEN ${cell} IS NULL THEN '' WHEN ${plain} THEN ${cell} ELSE ${quoted} END`;
}
