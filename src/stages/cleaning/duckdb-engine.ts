import type { DuckDBConnection } from '@duckdb/node-api';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { canonicalSql, lexicalRuleSql } from '../../definition/lexical.ts';
import { boundSql, conditionSql } from './condition.ts';
import { withDuckDb } from './duckdb.ts';
import { rejectLine, type CleanEngine, type CleanJob, type CleanOutcome } from './engine.ts';
import type { CleanRules, ColumnRule, RejectRule } from './rules.ts';
import { sqlText } from './sql-text.ts';
import { plainNumberSql } from './written-number.ts';

/** What JavaScript's `trim` takes off. */
const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

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

async function cleanWith(
  connection: DuckDBConnection,
  { rules, parts, files, folder }: CleanJob,
): Promise<CleanOutcome> {
  const cleanPath = join(folder, 'clean.csv');
  const rejectsPath = join(folder, 'rejects.ndjson');
  await connection.run(preparedSql(rules, parts));
  const missing = await countMissing(connection, rules);
  await connection.run(judgedSql(rules));
  const [counts] = (
    await connection.runAndReadAll(
      'SELECT count(*), count(*) FILTER (kept), count(*) FILTER (bad IS NOT NULL) FROM judged',
    )
  ).getRowsJS();
  const [all = 0, kept = 0, rejected = 0] = (counts ?? []).map(Number);
  const copied = await connection.run(`COPY (${chosenSql(rules, files)}) TO ${sqlText(cleanPath)}
    (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
  const clean = copied.rowsChanged;
  const rejectedBy = await writeRejects(connection, rules, files, rejectsPath);
  const rows = { clean, duplicates: kept - clean, filtered: all - kept - rejected, rejected };
  return { cleanPath, rejectsPath, rows, rejectedBy, missing };
}

/** `prepared`: source text s0, s1 … and text after trimming, missing words and padding t0, t1 … per clean column. */
function preparedSql(rules: CleanRules, parts: readonly string[]): string {
  // By position: DuckDB takes names that differ in case alone for the same.
  const names = Array.from({ length: rules.width }, (_, at) => `c${at}`);
  const origins = ['_file', '_row', '_line', '_offset'];
  const source =
    parts.length > 0
      ? `read_parquet([${parts.map(sqlText).join(', ')}])`
      : `(SELECT ${names.map(() => 'NULL::VARCHAR').join(', ')}, 0::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT WHERE false)`;
  const columns = rules.columns.map((rule, at) => `c${rule.position} AS s${at}, ${textSql(rule)} AS t${at}`);
  return `CREATE VIEW prepared AS SELECT _file, _row, _line, _offset, ${columns.join(', ')}
    FROM ${source} AS parsed(${[...names, ...origins].join(', ')})`;
}

function textSql(rule: ColumnRule): string {
  const source = `c${rule.position}`;
  const trimmed = rule.trim ? `trim(${source}, ${sqlText(WHITE_SPACE)})` : source;
  const padded =
    rule.number !== undefined
      ? plainNumberSql(rule.number, trimmed)
      : rule.pad === undefined
        ? trimmed
        : `CASE WHEN length(${trimmed}) < ${rule.pad} THEN lpad(${trimmed}, ${rule.pad}, '0') ELSE ${trimmed} END`;
  if (rule.missing.length === 0) return padded;
  return `CASE WHEN ${trimmed} IN (${rule.missing.map(sqlText).join(', ')}) THEN NULL ELSE ${padded} END`;
}

async function countMissing(connection: DuckDBConnection, rules: CleanRules): Promise<Record<string, number>> {
  const counts = rules.columns.map((_, at) => `count(*) FILTER (t${at} IS NULL)`);
  const [row] = (await connection.runAndReadAll(`SELECT ${counts.join(', ')} FROM prepared`)).getRowsJS();
  return Object.fromEntries(rules.columns.map(({ name }, at) => [name, Number(row?.[at] ?? 0)]));
}

/**
 * `judged`: canonical values k0, k1 …, `bad` (position of the first column that breaks its rule), its rule and source
 * text, and whether the row is kept.
 */
function judgedSql(rules: CleanRules): string {
  const { columns } = rules;
  const filled = columns.map(({ fallback }, at) =>
    fallback === undefined ? `t${at} AS v${at}` : `coalesce(t${at}, ${sqlText(fallback)}) AS v${at}`,
  );
  const ruled = columns.map((rule, at) => `${ruleSql(rule, `v${at}`)} AS r${at}`);
  const first = (value: (at: number) => string) =>
    `CASE ${columns.map((_, at) => `WHEN r${at} IS NOT NULL THEN ${value(at)}`).join(' ')} END`;
  const canonical = columns.map(
    ({ lexical }, at) =>
      `CASE WHEN r${at} IS NULL AND v${at} IS NOT NULL THEN ${canonicalSql(lexical, `v${at}`)} END AS k${at}`,
  );
  const dropped = columns.flatMap(({ onMissing }, at) => (onMissing === 'drop' ? [`t${at} IS NULL`] : []));
  const kept = [
    'bad IS NULL',
    ...dropped.map((condition) => `NOT (${condition})`),
    ...(rules.filter ? [conditionSql(rules.filter, (at) => `k${at}`)] : []),
  ];
  return `CREATE TABLE judged AS
    WITH filled AS (SELECT *, ${filled.join(', ')} FROM prepared),
    ruled AS (SELECT *, ${ruled.join(', ')} FROM filled),
    canonical AS (SELECT *, ${canonical.join(', ')}, ${first(String)} AS bad FROM ruled)
    SELECT _file, _row, _line, _offset, ${columns.map((_, at) => `k${at}`).join(', ')}, bad,
      ${first((at) => `r${at}`)} AS rule, ${first((at) => `s${at}`)} AS value, ${kept.join(' AND ')} AS kept
    FROM canonical`;
}

/** The rule that a text breaks, NULL for none. */
function ruleSql(rule: ColumnRule, text: string): string {
  const cases = [`WHEN ${text} IS NULL THEN ${rule.onMissing === 'reject' ? "'required'" : 'NULL'}`];
  const lexical = lexicalRuleSql(rule.lexical, text);
  if (lexical !== 'NULL') cases.push(`WHEN (${lexical}) IS NOT NULL THEN (${lexical})`);
  if (rule.pattern) cases.push(`WHEN NOT regexp_full_match(${text}, ${sqlText(rule.pattern.re2)}) THEN 'pattern'`);
  if (rule.values) cases.push(`WHEN ${text} NOT IN (${rule.values.map(sqlText).join(', ')}) THEN 'values'`);
  for (const bound of rule.range) {
    cases.push(`WHEN NOT ${boundSql(bound, rule.lexical, canonicalSql(rule.lexical, text))} THEN 'range'`);
  }
  return `CASE ${cases.join(' ')} END`;
}

/** The rows of clean.csv, in source order. */
function chosenSql(rules: CleanRules, files: readonly string[]): string {
  const file = files.length === 1 ? sqlText(files[0] ?? '') : `[${files.map(sqlText).join(', ')}][_file + 1]`;
  const identity = rules.key.length === 0 ? [`${file} AS "_file"`, '_row AS "_row"'] : [];
  const columns = rules.columns.map(({ name }, at) => `k${at} AS "${name}"`);
  const select = `SELECT ${[...identity, ...columns].join(', ')}`;
  if (rules.key.length === 0) return `${select} FROM judged WHERE kept ORDER BY judged._row`;
  const order = rules.keep === 'first' ? 'ASC' : 'DESC';
  const partition = rules.key.map((at) => `k${at}`).join(', ');
  return `${select} FROM (SELECT *, row_number() OVER (PARTITION BY ${partition} ORDER BY _row ${order}) AS nth
    FROM judged WHERE kept) AS chosen WHERE nth = 1 ORDER BY chosen._row`;
}

async function writeRejects(
  connection: DuckDBConnection,
  rules: CleanRules,
  files: readonly string[],
  path: string,
): Promise<Record<string, number>> {
  const rejectedBy: Record<string, number> = {};
  const output = createWriteStream(path);
  const done = finished(output);
  const rejected = await connection.stream(
    // As hex: the library takes U+FEFF off the beginning of a text.
    'SELECT _file, _row, _line, _offset, bad, rule, hex(value) FROM judged WHERE bad IS NOT NULL ORDER BY _row',
  );
  for await (const rows of rejected.yieldRowsJs()) {
    for (const [file, row, line, offset, bad, rule, value] of rows) {
      const column = rules.columns[Number(bad)]?.name ?? '';
      const counted = `${column} ${rule as string}`;
      rejectedBy[counted] = (rejectedBy[counted] ?? 0) + 1;
      const text = rejectLine({
        file: files[Number(file)] ?? '',
        row: Number(row),
        line: Number(line),
        byteOffset: Number(offset),
        column,
        rule: rule as RejectRule,
        value: Buffer.from(value as string, 'hex').toString(),
      });
      if (!output.write(text)) await once(output, 'drain');
    }
  }
  output.end();
  await done;
  return rejectedBy;
}
