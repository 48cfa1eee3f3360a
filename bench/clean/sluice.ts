import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { loadDefinition } from '../../src/definition/load.ts';
import { danfojsEngine } from '../../src/stages/cleaning/danfojs-engine.ts';
import { partsHere } from '../../src/stages/cleaning/engine.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb-engine.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { unattended } from '../../src/stages/deps.ts';

// One of our engines, over parsed parts on disk: clean.csv, and which rows were rejected for what.
const [name, list = '', folder = ''] = process.argv.slice(2);
const { parts, header } = JSON.parse(readFileSync(list, 'utf8')) as { parts: string[]; header: string[] };
const pipeline = await loadDefinition(join(import.meta.dirname, 'definition.yaml'));
const startedAt = performance.now();
const engine = name === 'danfojs' ? danfojsEngine : duckdbEngine;
const job = await mkdtemp(join(folder, 'job-'));
const { rows, cleanPath } = await engine.clean({
  rules: compileRules(pipeline, header),
  parts: partsHere(parts),
  files: ['f'],
  folder: job,
  context: unattended,
});
const seconds = (performance.now() - startedAt) / 1_000;
console.log(
  JSON.stringify({
    seconds,
    clean: rows.clean,
    rejected: rows.rejected,
    path: cleanPath,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1_000),
  }),
);
