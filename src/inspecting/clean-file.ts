import { appendFile, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../definition/errors.ts';
import { evolvedColumns, withEvolved } from '../definition/evolve.ts';
import type { LogicalHour } from '../definition/hour.ts';
import { mainDataset } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { ImportRecord } from '../definition/refs.ts';
import type { CleanReport } from '../stages/cleaning/clean-report.ts';
import { cleanTable } from '../stages/cleaning/clean-table.ts';
import { engineFor, type EngineServers } from '../stages/cleaning/engine-for.ts';
import { partsHere } from '../stages/cleaning/engine.ts';
import { mendParts, readFixes } from '../stages/cleaning/mend.ts';
import { reportHtml } from '../stages/cleaning/report-html.ts';
import type { StageContext } from '../stages/deps.ts';
import { checkHeader } from '../stages/importing/header.ts';
import { parseFiles } from '../stages/importing/parse-raw.ts';
import { FolderStore, fileRef } from './folder-store.ts';

export type { CleanReport, EngineServers };

export interface CleanFileInput {
  /** A file on this machine. */
  readonly path: string;
  /** What it is called in sentences. */
  readonly where: string;
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  /** An overlay that mends rows. */
  readonly fixes?: string | undefined;
  /** Paths of the clean.csv of earlier hours, for `duplicates.acrossRuns`. */
  readonly earlier?: readonly string[];
  /** Where results go; made where it is not there. */
  readonly out: string;
  /** Scratch space of the call's own. */
  readonly folder: string;
}

/**
 * Imports and cleans one file without any server, as a run would. All results are made elsewhere and put into `out` at the
 * end, so it never holds half of one: `clean.csv`, `rejects.ndjson`, `report.json`, `report.html`, and `<name>.csv` of
 * each aggregate.
 * @param servers Needed where the engine is Spark alone.
 * @returns the report, and the files written
 * @throws SluiceError as the import and clean stages do
 */
export async function cleanFile(
  input: CleanFileInput,
  context: StageContext,
  servers: EngineServers = {},
): Promise<{ report: CleanReport; written: string[] }> {
  const { path, where, hour, folder, out } = input;
  const record: ImportRecord = {
    pipeline: input.pipeline.name,
    hour,
    n: 1,
    source: where,
    fetchedAt: new Date().toISOString(),
    raw: await fileRef(path),
  };
  const scratch = join(folder, 'import');
  await mkdir(scratch);
  const parsed = await parseFiles(new FolderStore(folder), input.pipeline, record, 'parsed/', scratch, context);
  const unknownColumns = checkHeader(input.pipeline, parsed.header, where);
  const pipeline = withEvolved(input.pipeline, evolvedColumns(input.pipeline, unknownColumns));
  const rejectsPath = join(folder, 'all-rejects.ndjson');
  if (parsed.rejects) await rename(parsed.rejects.uri, rejectsPath);
  else await appendFile(rejectsPath, '');
  const files = parsed.files.map(({ file }) => file);
  const parts = partsHere(parsed.parts.map(({ uri }) => uri));
  const fixes = input.fixes === undefined ? [] : await readFixes(input.fixes);
  const mended = await mendParts({ parsed, parts, files, rejectsPath, fixes, folder, context });
  const before = { earlier: input.earlier ?? [], rowsBefore: [] };
  const engine = engineFor(pipeline.engine, mended.parsed.rows.parsed, servers);
  const { report, datasets } = await cleanTable(
    { ...mended, ...before, pipeline, files, rejectsPath, unknownColumns, folder },
    engine,
    context,
  );
  const reportPath = join(folder, 'report.json');
  const htmlPath = join(folder, 'report.html');
  await writeFile(reportPath, `${JSON.stringify({ ...report, hour }, null, 2)}\n`);
  await writeFile(htmlPath, reportHtml({ ...report, hour }));
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    const sentence = `${out} cannot be made a folder for the results (${(error as NodeJS.ErrnoException).code}): name another with --out.`;
    throw new SluiceError('SettingsInvalid', sentence, { cause: error });
  });
  const results = [
    ...datasets.map(({ stream, path: made }) => [
      made,
      stream.dataset === mainDataset ? 'clean.csv' : `${stream.dataset}.csv`,
    ]),
    [rejectsPath, 'rejects.ndjson'],
    [reportPath, 'report.json'],
    [htmlPath, 'report.html'],
  ] as [string, string][];
  return { report, written: await putInPlace(results, out) };
}

/** All of them or none: copies beside them first, as the folders may be on different disks, and then their names. */
async function putInPlace(results: readonly (readonly [string, string])[], out: string): Promise<string[]> {
  const places = results.map(([from, name]) => {
    const to = join(out, name);
    return { from, to, partial: `${to}.${process.pid}.partial` };
  });
  try {
    for (const { from, to, partial } of places) {
      if ((await stat(to).catch(() => undefined))?.isDirectory() === true)
        throw new SluiceError('SettingsInvalid', `${to} is a folder, and a result would go there.`);
      await copyFile(from, partial);
    }
    for (const { to, partial } of places) await rename(partial, to);
  } finally {
    for (const { partial } of places) await rm(partial, { force: true });
  }
  return places.map(({ to }) => to);
}
