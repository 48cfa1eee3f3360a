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

/** A job of a table: a folder of its own below `root`, the rows as one part. */
export async function jobOf(
  root: string,
  input: Partial<PipelineInput>,
  rows: readonly (readonly string[])[],
  header: readonly string[],
): Promise<Job & { readonly path: string }> {
  const pipeline = pipelineSchema.parse({ name: 'p', source: { url: 'https://example.org/a.csv' }, ...input });
  const folder = await mkdtemp(join(root, 'job-'));
  const path = join(folder, 'part.parquet');
  await writeFile(path, encodeTextParquet(named(header), textColumns(header.length, rows), 0));
  return { rules: compileRules(pipeline, header), parts: partsHere([path]), files: ['f'], folder, path };
}

/** An outcome with the text of its files. */
export async function told({ cleanPath, rejectsPath, ...rest }: CleanOutcome): Promise<Told> {
  return { ...rest, clean: await readFile(cleanPath, 'utf8'), rejects: await readFile(rejectsPath, 'utf8') };
}
