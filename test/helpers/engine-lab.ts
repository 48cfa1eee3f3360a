import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { encodeTextParquet } from '../../src/formats/parquet.ts';
import { partsHere, type CleanJob, type CleanOutcome } from '../../src/stages/cleaning/engine.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { named, textColumns } from './text-columns.ts';

export type Job = Omit<CleanJob, 'context'>;
export type Told = Omit<CleanOutcome, 'cleanPath' | 'rejectsPath'> & {
  readonly clean: string;
  readonly rejects: string;
};

type Rows = readonly (readonly string[])[];

/** A job of a table: a folder of its own below `root`, the rows as one part. */
export async function jobOf(
  root: string,
  input: Partial<PipelineInput>,
  rows: Rows,
  header: readonly string[],
): Promise<Job & { readonly paths: readonly string[] }> {
  return jobOfParts(root, input, [rows], header);
}

/** The same for a table in several parts, each of a file of its own: f, f#2 … */
export async function jobOfParts(
  root: string,
  input: Partial<PipelineInput>,
  parts: readonly Rows[],
  header: readonly string[],
): Promise<Job & { readonly paths: readonly string[] }> {
  const pipeline = pipelineSchema.parse({ name: 'p', source: { url: 'https://example.org/a.csv' }, ...input });
  const folder = await mkdtemp(join(root, 'job-'));
  const paths: string[] = [];
  let before = 0;
  for (const [file, rows] of parts.entries()) {
    const path = join(folder, `part-${file}.parquet`);
    await writeFile(path, encodeTextParquet(named(header), textColumns(header.length, rows, before), file));
    paths.push(path);
    before += rows.length;
  }
  const files = parts.length === 0 ? ['f'] : parts.map((_, file) => (file === 0 ? 'f' : `f#${file + 1}`));
  return { rules: compileRules(pipeline, header), parts: partsHere(paths), files, folder, paths };
}

/** An outcome with the text of its files. Without what Spark says of its jobs: that is about a run, and not about rows. */
export async function told(outcome: CleanOutcome): Promise<Told> {
  const { cleanPath, rejectsPath, spark: _, ...rest } = outcome;
  return { ...rest, clean: await readFile(cleanPath, 'utf8'), rejects: await readFile(rejectsPath, 'utf8') };
}
