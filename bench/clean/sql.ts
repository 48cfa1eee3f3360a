import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownPeakMb } from '../common/process-memory.ts';

// The job as someone who knows DuckDB well would write it for this one file.
const [list = '', folder = ''] = process.argv.slice(2);
const { parts } = JSON.parse(readFileSync(list, 'utf8')) as { parts: string[] };
const startedAt = performance.now();
const job = mkdtempSync(join(folder, 'job-'));
mkdirSync(join(job, 'spill'));
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '1GB',
  threads: '2',
  temp_directory: join(job, 'spill'),
});
const connection = await instance.connect();
const numbers = ['usage', 'error_mae', 'error_95', 'msd'];
await connection.run(`CREATE TABLE t AS SELECT _row, trim(ST) AS state, trim("COUNTY NAME") AS county,
    lpad(trim("COUNTY ID"), 5, '0') AS county_id, lpad(trim("POSTAL CODE"), 5, '0') AS zip,
    ${[
      ['usage', 'BROADBAND USAGE'],
      ['error_mae', 'ERROR RANGE (MAE)(+/-)'],
      ['error_95', 'ERROR RANGE (95%)(+/-)'],
      ['msd', 'MSD'],
    ]
      .map(
        ([name, source]) =>
          `TRY_CAST(trim("${source}") AS DECIMAL(6, 4)) AS ${name}, nullif(trim("${source}"), '') IS NOT NULL AND TRY_CAST(trim("${source}") AS DECIMAL(6, 4)) IS NULL AS ${name}_bad`,
      )
      .join(', ')}
  FROM read_parquet([${parts.map((part) => `'${part}'`).join(', ')}])`);
const bad = `CASE WHEN NOT coalesce(regexp_full_match(state, '[A-Z]{2}'), false) THEN 'state' WHEN coalesce(county, '') = '' THEN 'county'
  ${numbers.map((name) => `WHEN ${name}_bad THEN '${name}'`).join(' ')} WHEN usage NOT BETWEEN 0 AND 1 THEN 'usage' END`;
const copied =
  await connection.run(`COPY (SELECT state, county, county_id, zip, usage, coalesce(error_mae, 0) AS error_mae, error_95, msd FROM (
    SELECT *, row_number() OVER (PARTITION BY county_id, zip ORDER BY _row) AS nth FROM t WHERE ${bad} IS NULL AND usage > 0.01
  ) WHERE nth = 1 ORDER BY _row) TO '${join(job, 'clean.csv')}' (FORMAT csv, HEADER)`);
const rejects = await connection.run(
  `COPY (SELECT _row, ${bad} AS why FROM t WHERE why IS NOT NULL ORDER BY _row) TO '${join(job, 'rejects.csv')}' (FORMAT csv)`,
);
const seconds = (performance.now() - startedAt) / 1_000;
console.log(
  JSON.stringify({
    seconds,
    clean: copied.rowsChanged,
    rejected: rejects.rowsChanged,
    path: join(job, 'clean.csv'),
    peakMb: ownPeakMb(),
  }),
);
