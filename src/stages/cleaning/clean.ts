import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failPoint } from '../../connectors/fail-point.ts';
import { SluiceError } from '../../definition/errors.ts';
import { evolvedColumns, withEvolved } from '../../definition/evolve.ts';
import { keys, mainDataset } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type {
  CleanBatch,
  CleanResult,
  HourRecord,
  ObjectRef,
  QuarantineEntry,
  RowCounts,
} from '../../definition/refs.ts';
import { streamOf, type Stream } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { batchIdOf, schemaVersion } from '../hashing.ts';
import type { CleanInput } from '../io.ts';
import { keepCleaning } from '../resuming/stored-cleaning.ts';
import { measureCleanCsv } from './clean-csv.ts';
import { reportHtml } from './report-html.ts';
import { schemaDiff, type CleanReport } from './clean-report.ts';
import { cleanTable } from './clean-table.ts';
import { committedHours, fetchClean, rowsBefore, seenHours } from './earlier-hours.ts';
import { engineFor } from './engine-for.ts';
import type { Parts } from './engine.ts';
import { findFixes, mendParts } from './mend.ts';

/**
 * Cleans an imported hour: clean.csv, rejects and report of the main data set, and of every aggregate. Rows that the parser
 * rejected count as rejected here, so `read = clean + duplicates + filtered + rejected`.
 * @throws SluiceError `DefinitionInvalid`, `SourceColumnMissing`, `SchemaDrift`, `RowsUnaccounted`, `EngineFailed`, `StoreUnavailable`
 */
export async function clean(deps: StageDeps, input: CleanInput, context: StageContext): Promise<CleanResult> {
  const { imported, hour } = input;
  const evolved = evolvedColumns(input.pipeline, imported.unknownColumns);
  const pipeline = withEvolved(input.pipeline, evolved);
  await mkdir(deps.settings.workDir, { recursive: true });
  const folder = await mkdtemp(join(deps.settings.workDir, 'clean-'));
  try {
    const table = await fetchTable(deps, { ...input, pipeline }, folder, context);
    const earlier = await earlierHours(deps, pipeline, input, folder, context);
    const engine = engineFor(pipeline.engine, table.parsed.rows.parsed, deps);
    const done = await cleanTable({ ...table, ...earlier, pipeline, folder }, engine, context);
    const { report, facts, datasets, spark } = done;
    const before = earlier.records.findLast(({ batch }) => batch !== undefined);
    const diff = before && (await diffSince(deps, pipeline, before, report));
    const told: CleanReport = { ...report, hour, ...(diff ? { schemaDiff: diff } : {}) };
    const batches: CleanBatch[] = [];
    for (const { stream, path } of datasets) {
      const main = stream.dataset === mainDataset;
      const kept = main ? { rows: report.rows, rejectsPath: table.rejectsPath } : undefined;
      batches.push(await store(deps, { ...input, pipeline }, stream, path, kept, told, context));
    }
    await failPoint('clean:after-write');
    const cleaned: CleanResult = {
      engine: engine.name,
      batches,
      quality: report.quality,
      rejectedBy: report.rejectedBy,
      ...(pipeline.duplicates.acrossRuns === true ? { seen: seenHours(earlier.records) } : {}),
      ...(evolved.length > 0 ? { evolved } : {}),
    };
    await keepCleaning(deps, input.pipeline, hour, { imported, cleaned, facts, fixes: table.fixes });
    // Last: it says which cleaning is the newest.
    await keepQuarantine(deps, told, batches[0]);
    // Of this run alone: another that begins behind it takes up the rest.
    return spark ? { ...cleaned, spark } : cleaned;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Brings the parsed object here, with what overlays mend of it. */
async function fetchTable(
  deps: StageDeps,
  { pipeline, hour, imported }: CleanInput,
  folder: string,
  context: StageContext,
) {
  const { parsed, unknownColumns } = imported;
  const parts = storedParts(deps, parsed.parts, folder, context);
  const rejectsPath = join(folder, 'rejects.ndjson');
  if (parsed.rejects) await deps.store.download(parsed.rejects, rejectsPath);
  else await appendFile(rejectsPath, '');
  const files = parsed.files.map(({ file }) => file);
  const fixes = await findFixes(deps, pipeline.name, hour);
  const mended = await mendParts({ parsed, parts, files, rejectsPath, fixes, folder, context });
  return { ...mended, fixes, files, rejectsPath, unknownColumns };
}

/** Parts that are brought here once, when an engine or the rejects need them. */
function storedParts(
  { store }: Pick<StageDeps, 'store'>,
  refs: readonly ObjectRef[],
  folder: string,
  { signal, progress }: StageContext,
): Parts {
  const fetch = async (): Promise<string[]> => {
    const paths: string[] = [];
    for (const [at, part] of refs.entries()) {
      const path = join(folder, `part-${at}.parquet`);
      await store.download(part, path, signal);
      progress({ note: `fetched part ${at + 1} of ${refs.length}` });
      paths.push(path);
    }
    return paths;
  };
  let fetched: Promise<readonly string[]> | undefined;
  return { local: () => (fetched ??= fetch()), stored: refs.map(({ uri }) => uri) };
}

async function earlierHours(
  deps: StageDeps,
  { name, duplicates, quality }: Pipeline,
  { hour }: CleanInput,
  folder: string,
  context: StageContext,
) {
  const records = await committedHours(deps, name, hour);
  return {
    records,
    rowsBefore: rowsBefore(records, quality.rowChangePercent?.runs ?? 0),
    earlier: duplicates.acrossRuns === true ? await fetchClean(deps, name, records, folder, context.signal) : [],
  };
}

/** The diff of the schema against the newest committed hour below this one. */
async function diffSince(deps: StageDeps, pipeline: Pipeline, { hour, batch }: HourRecord, { schema }: CleanReport) {
  const key = keys.batch(streamOf(pipeline, mainDataset).name, hour, batch ?? '', 'report.json');
  const before = await deps.store.findJson<Partial<CleanReport>>(key);
  return before?.schema && schemaDiff(hour, before.schema, schema);
}

/** Whether or not a gate blocks, its rejected rows can be looked at. */
async function keepQuarantine(
  deps: StageDeps,
  { pipeline, hour, rejectedBy }: CleanReport,
  main: CleanBatch | undefined,
) {
  if (hour === undefined || !main) return;
  const { batchId, rows, rejects, report } = main;
  const cleanedAt = new Date().toISOString();
  const entry: QuarantineEntry = { pipeline, hour, cleanedAt, batchId, rows, rejectedBy, rejects, report };
  await deps.store.put(keys.quarantine(pipeline, hour), Buffer.from(JSON.stringify(entry)));
}

async function store(
  deps: StageDeps,
  { pipeline, hour }: CleanInput,
  stream: Stream,
  path: string,
  kept: { readonly rows: RowCounts; readonly rejectsPath: string } | undefined,
  report: CleanReport,
  context: StageContext,
): Promise<CleanBatch> {
  const facts = await measureCleanCsv(path, stream, context);
  // An aggregate reads its groups and rejects none.
  const rows = kept?.rows ?? { read: facts.rows, clean: facts.rows, duplicates: 0, filtered: 0, rejected: 0 };
  if (rows.clean !== facts.rows) {
    throw new SluiceError(
      'RowsUnaccounted',
      `clean.csv holds ${facts.rows} rows, but the engine counted ${rows.clean}.`,
    );
  }
  const batchId = batchIdOf(stream, hour, facts.sha256, schemaVersion(stream.output, pipeline.land));
  const key = (file: string) => keys.batch(stream.name, hour, batchId, file);
  const rejects = kept?.rejectsPath ?? `${path}.rejects`;
  await appendFile(rejects, '');
  const told = kept ? report : { pipeline: report.pipeline, hour, engine: 'duckdb', rows };
  if (kept) await deps.store.put(key('report.html'), Buffer.from(reportHtml(report)));
  return {
    dataset: stream.dataset,
    batchId,
    rows,
    checksum: facts.checksum,
    clean: { ...(await deps.store.upload(path, () => key('clean.csv'), context.signal)), rows: facts.rows },
    rejects: {
      ...(await deps.store.upload(rejects, () => key('rejects.ndjson'), context.signal)),
      rows: rows.rejected,
    },
    report: await deps.store.put(key('report.json'), Buffer.from(JSON.stringify(told, null, 2))),
  };
}
