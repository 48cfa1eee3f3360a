import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanWithDanfojs } from '../../src/stages/cleaning/danfojs/danfojs-clean.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb/duckdb-engine.ts';
import type { CleanOutcome } from '../../src/stages/cleaning/engine.ts';
import { unattended } from '../../src/stages/deps.ts';
import { cleaningLaws } from '../helpers/cleaning-laws.ts';
import { jobOfParts, told } from '../helpers/engine-lab.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-laws-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

type Job = Awaited<ReturnType<typeof jobOfParts>>;

/** Each takes a DuckDB of its own ten times as long. `LAW_RUNS=20` runs them twenty times as often. */
const more = Number(process.env['LAW_RUNS'] ?? 1);
const engines = [
  {
    engine: 'danfojs',
    runs: 100,
    clean: (job: Job): Promise<CleanOutcome> => cleanWithDanfojs({ ...job, parts: job.paths }),
  },
  { engine: 'duckdb', runs: 15, clean: (job: Job) => duckdbEngine.clean({ ...job, context: unattended }) },
];

describe.each(engines)('by $engine', ({ clean, runs }) => {
  it.each(cleaningLaws)(
    '$name (property)',
    async ({ holds }) => {
      const property = holds(async (definition, parts, header) => {
        const job = await jobOfParts(root, definition, parts, header);
        const found = await told(await clean(job));
        await rm(job.folder, { recursive: true });
        return found;
      });
      // Counterexamples of whole tables take long to be made small.
      const kept = fc.assert(property, { numRuns: runs * more, interruptAfterTimeLimit: 50_000 * more });
      await expect(kept).resolves.toBeUndefined();
    },
    60_000 * more,
  );
});
