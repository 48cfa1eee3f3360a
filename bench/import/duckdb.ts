import { DuckDBInstance } from '@duckdb/node-api';

// Reads the file as text and counts; nothing is stored.
const [file = ''] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const startedAt = performance.now();
await connection.run(`CREATE TABLE t AS SELECT * FROM read_csv('${file}', all_varchar = true, header = true)`);
const seconds = (performance.now() - startedAt) / 1_000;
const [[rows] = []] = (await connection.runAndReadAll('SELECT count(*)::INTEGER FROM t')).getRowsJS();
console.log(JSON.stringify({ seconds, rows, peakMb: Math.round(process.resourceUsage().maxRSS / 1_000) }));
