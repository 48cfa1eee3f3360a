import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse';
import { loadDefinition } from '../src/definition/load.ts';
import { encodeTextParquet } from '../src/formats/parquet.ts';
import { danfojsEngine } from '../src/stages/cleaning/danfojs/danfojs-engine.ts';
import { partsHere, type CleanEngine } from '../src/stages/cleaning/engine.ts';
import { duckdbEngine } from '../src/stages/cleaning/duckdb/duckdb-engine.ts';
import { compileRules } from '../src/stages/cleaning/rules.ts';
import { unattended } from '../src/stages/deps.ts';
import { named, textColumns } from '../test/helpers/text-columns.ts';

// `npm run bench:engines`: the two cleaning engines on the first rows of the real file, in turns, five times each. What it prints are
// medians and their ratio; the medians are this machine's, the ratio is what may be quoted.

const sizes = [100, 1_000, 5_000, 32_735];
const turns = 5;
const pipelines = join(import.meta.dirname, '..', 'pipelines');

const pipeline = await loadDefinition(join(pipelines, 'broadband.yaml'));
const file = createReadStream(join(pipelines, 'data', 'broadband_data_zipcode.csv'));
const all = (await file.pipe(parse({ bom: true })).toArray()) as string[][];
const header = all.shift() ?? [];
const median = (times: number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

console.log('rows     DuckDB ms  danfojs ms  danfojs : DuckDB');
for (const size of sizes) {
  const rows = all.slice(0, size);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    const part = join(folder, 'part.parquet');
    await writeFile(part, encodeTextParquet(named(header), textColumns(header.length, rows), 0));
    const job = {
      rules: compileRules(pipeline, header),
      parts: partsHere([part]),
      files: ['f'],
      folder,
      context: unattended,
    };
    const times: Record<CleanEngine['name'], number[]> = { duckdb: [], danfojs: [], spark: [] };
    const bytes = new Set<string>();
    for (let turn = 0; turn <= turns; turn += 1) {
      for (const engine of [duckdbEngine, danfojsEngine]) {
        const startedAt = performance.now();
        const { cleanPath } = await engine.clean(job);
        // The first turn warms up.
        if (turn > 0) times[engine.name].push(performance.now() - startedAt);
        bytes.add(await readFile(cleanPath, 'utf8'));
      }
    }
    if (bytes.size !== 1) throw new Error('the engines gave different bytes');
    const [duckdb, danfojs] = [median(times.duckdb), median(times.danfojs)];
    const cells = [String(size).padEnd(8), duckdb.toFixed(0).padStart(9), danfojs.toFixed(0).padStart(11)];
    console.log(`${cells.join(' ')}  ${(danfojs / duckdb).toFixed(1)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
