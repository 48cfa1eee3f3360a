import { readFileSync } from 'node:fs';
import { engineFor } from '../../src/stages/cleaning/engine-for.ts';
import { partsHere } from '../../src/stages/cleaning/engine.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';

// A process that cleans with Spark and tells its progress, a line of JSON each, until a test kills it.

export interface GivenJob {
  readonly pipeline: Pipeline;
  readonly header: readonly string[];
  readonly paths: readonly string[];
  readonly folder: string;
}

const { pipeline, header, paths, folder } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as GivenJob;
const deps = stageDepsOf(process.env);
const context = {
  signal: new AbortController().signal,
  progress: (progress: object) => void process.stdout.write(`${JSON.stringify(progress)}\n`),
};
const rules = compileRules(pipeline, header);
await engineFor('spark', 0, deps).clean({ rules, parts: partsHere(paths), files: ['f'], folder, context });
process.exit(0);
