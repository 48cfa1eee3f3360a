import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../definition/errors.ts';
import { keys, mainDataset } from '../../definition/names.ts';
import type { CleanBatch, CleanResult, RowCounts } from '../../definition/refs.ts';
import { streamOf, type Stream } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { batchIdOf, schemaVersion } from '../hashing.ts';
import type { CleanInput } from '../io.ts';
import { aggregateCleanCsv } from './aggregates.ts';
import { measureCleanCsv } from './clean-csv.ts';
import { DANFOJS_ROWS, danfojsEngine } from './danfojs-engine.ts';
import { duckdbEngine } from './duckdb-engine.ts';
import type { CleanEngine, CleanOutcome } from './engine.ts';
import { judgeQuality } from './quality.ts';
import { describeRejects } from './rejects.ts';
import { compileRules } from './rules.ts';

/**
 * Cleans an imported hour: clean.csv, rejects and report of the main data set, and of every aggregate. Rows that the parser
 * rejected count as rejected here, so `read = clean + duplicates + filtered + rejected`.
 * @throws SluiceError `DefinitionInvalid`, `SourceColumnMissing`, `RowsUnaccounted`, `EngineFailed`, `StoreUnavailable`
 */
export async function clean(deps: StageDeps, input: CleanInput, context: StageContext): Promise<CleanResult> {
  const { pipeline, imported } = input;
  const main = streamOf(pipeline, mainDataset);
  const rules = compileRules(pipeline, imported.parsed.header);
  await mkdir(deps.settings.workDir, { recursive: true });
  const folder = await mkdtemp(join(deps.settings.workDir, 'clean-'));
  try {
    const parts: string[] = [];
    for (const [at, part] of imported.parsed.parts.entries()) {
      const path = join(folder, `part-${at}.parquet`);
      await deps.store.download(part, path, context.signal);
      parts.push(path);
    }
    const files = imported.parsed.files.map(({ file }) => file);
    const engine = engineFor(input);
    const job = { rules, parts, files, folder, context };
    const outcome = await engine.clean(job);
    const rows = rowsOf(input, outcome);
    const quality = judgeQuality(pipeline.quality, rows);
    const parsedBy = Object.entries(imported.parsed.rejectedBy).map(([kind, rows]) => [`row ${kind}`, rows] as const);
    // The parser's rejects, then those of the rules.
    const rejectsPath = join(folder, 'rejects.ndjson');
    if (imported.parsed.rejects) await deps.store.download(imported.parsed.rejects, rejectsPath);
    const ruledBy = await describeRejects(job, imported.parsed.header, outcome.rejectsPath, rejectsPath);
    const rejectedBy = { ...ruledBy, ...Object.fromEntries(parsedBy) };
    const report = {
      rows,
      rejectedBy,
      missing: outcome.missing,
      engine: engine.name,
      unknownColumns: imported.unknownColumns,
      quality,
    };
    const batches = [await store(deps, input, main, outcome.cleanPath, rejectsPath, rows, report, context)];
    for (const aggregate of pipeline.aggregate) {
      const of = streamOf(pipeline, aggregate.name);
      const path = await aggregateCleanCsv(outcome.cleanPath, main, aggregate, of, folder, context);
      batches.push(await store(deps, input, of, path, undefined, undefined, { aggregate }, context));
    }
    return { engine: engine.name, batches, quality, rejectedBy };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both give the same bytes, so which one cleaned shows in nothing but the time. */
function engineFor({ pipeline, imported }: CleanInput): CleanEngine {
  if (pipeline.engine === 'auto') return imported.parsed.rows.parsed <= DANFOJS_ROWS ? danfojsEngine : duckdbEngine;
  return pipeline.engine === 'danfojs' ? danfojsEngine : duckdbEngine;
}

function rowsOf({ imported }: CleanInput, { rows }: CleanOutcome): RowCounts {
  const { read, parsed, rejected } = imported.parsed.rows;
  const counted = rows.clean + rows.duplicates + rows.filtered + rows.rejected;
  if (counted !== parsed || parsed + rejected !== read) {
    throw new SluiceError(
      'RowsUnaccounted',
      `${read} rows were read and ${rejected} not parsed, but cleaning accounts for ${counted} rows.`,
    );
  }
  return { read, ...rows, rejected: rows.rejected + rejected };
}

async function store(
  deps: StageDeps,
  { pipeline, hour }: CleanInput,
  stream: Stream,
  path: string,
  rejectsPath: string | undefined,
  counts: RowCounts | undefined,
  report: Readonly<Record<string, unknown>>,
  context: StageContext,
): Promise<CleanBatch> {
  const facts = await measureCleanCsv(path, stream, context);
  // An aggregate reads its groups and rejects none.
  const rows = counts ?? { read: facts.rows, clean: facts.rows, duplicates: 0, filtered: 0, rejected: 0 };
  if (rows.clean !== facts.rows) {
    throw new SluiceError(
      'RowsUnaccounted',
      `clean.csv holds ${facts.rows} rows, but the engine counted ${rows.clean}.`,
    );
  }
  const batchId = batchIdOf(stream, hour, facts.sha256, schemaVersion(stream.output, pipeline.land));
  const key = (file: string) => keys.batch(stream.name, hour, batchId, file);
  const rejects = rejectsPath ?? `${path}.rejects`;
  if (rejectsPath === undefined) await appendFile(rejects, '');
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
    report: await deps.store.put(key('report.json'), Buffer.from(JSON.stringify({ ...report, rows }, null, 2))),
  };
}
