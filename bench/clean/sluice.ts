import { mkdtemp } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinition } from '../../src/definition/load.ts';
import { danfojsEngine } from '../../src/stages/cleaning/danfojs/danfojs-engine.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb/duckdb-engine.ts';
import type { CleanEngine } from '../../src/stages/cleaning/engine.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { unattended } from '../../src/stages/deps.ts';
import { ownPeakMb } from '../common/process-memory.ts';

// One of our engines, over parsed parts on disk, for Spark in the object store: clean.csv, and which rows were rejected for what.
const [name = '', list = '', folder = ''] = process.argv.slice(2);
const { parts, stored, header } = JSON.parse(readFileSync(list, 'utf8')) as {
  parts: string[];
  stored?: string[];
  header: string[];
};
const pipeline = await loadDefinition(join(import.meta.dirname, 'definition.yaml'));
const engine = await engineCalled(name);
const startedAt = performance.now();
const job = await mkdtemp(join(folder, 'job-'));
const { rows, cleanPath } = await engine.clean({
  rules: compileRules(pipeline, header),
  parts: { local: async () => parts, ...(stored === undefined ? {} : { stored }) },
  files: ['f'],
  folder: job,
  context: unattended,
});
const seconds = (performance.now() - startedAt) / 1_000;
console.log(
  JSON.stringify({ seconds, clean: rows.clean, rejected: rows.rejected, path: cleanPath, peakMb: ownPeakMb() }),
);
// A connection to a server would keep the process.
if (name === 'spark') process.exit();

/** Only what the engine needs is loaded, so that its peak is its own. */
async function engineCalled(called: string): Promise<CleanEngine> {
  if (called !== 'spark') return called === 'danfojs' ? danfojsEngine : duckdbEngine;
  const { stageDepsOf } = await import('../../src/workers/stage-deps.ts');
  const { engineFor } = await import('../../src/stages/cleaning/engine-for.ts');
  return engineFor('spark', 0, stageDepsOf(process.env));
}
