import { readFileSync } from 'node:fs';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { CleanBatch, HourRecord, PreparedStream } from '../../src/definition/refs.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { Landed } from '../../src/stages/io.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';

/** What a contestant is to do: read by its process from the file that its second argument names. */
export interface Job {
  readonly pipeline: Pipeline;
  readonly prepared: PreparedStream;
  readonly batch: CleanBatch;
  /** The batch's clean.csv. */
  readonly csv: string;
  /** For landing: the stream to land under. */
  readonly landAs: string;
  /** For indexing: what has landed. */
  readonly landed?: Landed;
  readonly hourRecord?: HourRecord;
}

/** What a contestant says of its run, as its last line. */
export interface Done {
  /** By its own clock. */
  readonly seconds: number;
  readonly rows: number;
  /** What it took before its clock began. */
  readonly startSeconds?: number;
}

type Work = (deps: StageDeps, job: Job) => Promise<number>;

/** A contestant's process: runs the work that the first argument names, and says how long it took. */
export async function contestant(
  works: Readonly<Record<string, Work | { readonly before: (job: Job) => Promise<Work> }>>,
): Promise<void> {
  const [name = '', file = ''] = process.argv.slice(2);
  const job = JSON.parse(readFileSync(file, 'utf8')) as Job;
  const named = works[name];
  if (!named) throw new Error(`there is no work "${name}"`);
  const work = typeof named === 'function' ? named : await named.before(job);
  const deps = stageDepsOf(process.env);
  const startedAt = performance.now();
  const rows = await work(deps, job);
  const seconds = (performance.now() - startedAt) / 1_000;
  await deps.search.close();
  console.log(JSON.stringify({ seconds, rows } satisfies Done));
}
