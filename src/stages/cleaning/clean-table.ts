import { SluiceError } from '../../definition/errors.ts';
import { mainDataset } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { ParsedObject, RowCounts } from '../../definition/refs.ts';
import { streamOf, streamsOf, type Stream } from '../../definition/streams.ts';
import type { StageContext } from '../deps.ts';
import { dropSeenKeys } from './across-runs.ts';
import { aggregateCleanCsv } from './aggregates.ts';
import { cleanHeader } from './clean-csv.ts';
import type { CleanReport } from './clean-report.ts';
import { deriveInThread } from './derive.ts';
import type { CleanEngine, CleanJob, CleanOutcome, Parts } from './engine.ts';
import { profileColumns } from './profile.ts';
import { judgeQuality, type QualityFacts } from './quality.ts';
import { describeRejects } from './rejects.ts';
import { compileRules } from './rules.ts';

/** A parsed table on this machine, to be cleaned without any server. */
export interface Table {
  readonly pipeline: Pipeline;
  readonly parsed: Pick<ParsedObject, 'header' | 'rows' | 'rejectedBy'>;
  /** As in {@link CleanJob}. */
  readonly parts: Parts;
  readonly files: readonly string[];
  /** A file with the parser's rejects, to which those of the rules are added. */
  readonly rejectsPath: string;
  readonly unknownColumns: readonly string[];
  /** The clean.csv of each earlier hour, where the pipeline asks for that. */
  readonly earlier: readonly string[];
  /** Clean rows of the last hours, for the gate that compares with them. */
  readonly rowsBefore: readonly number[];
  readonly mended: number;
  readonly folder: string;
}

export interface CleanedTable {
  readonly report: CleanReport;
  /** What the gates looked at. */
  readonly facts: QualityFacts;
  /** `main` first; the path of its clean.csv each. */
  readonly datasets: readonly { readonly stream: Stream; readonly path: string }[];
  readonly spark?: CleanOutcome['spark'];
}

/**
 * Cleans a table: the engine, then what is done once and the same way for all of them.
 * @throws SluiceError `DefinitionInvalid`, `SourceColumnMissing`, `SchemaDrift`, `RowsUnaccounted`, `EngineFailed`
 */
export async function cleanTable(table: Table, engine: CleanEngine, context: StageContext): Promise<CleanedTable> {
  const { pipeline, parsed, parts, files, folder, rejectsPath } = table;
  const timings: Record<string, number> = {};
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    timings[name] = Math.round((timings[name] ?? 0) + performance.now() - startedAt);
    return result;
  };
  const main = streamOf(pipeline, mainDataset);
  const job: CleanJob = { rules: compileRules(pipeline, parsed.header), parts, files, folder, context };
  const outcome = await timed(engine.name, () => engine.clean(job));
  requireAccounted(table, outcome);
  const after = await timed('afterwards', () => afterEngine(table, job, main, outcome));
  const ruledBy = await timed('rejects', () =>
    describeRejects(job, Object.keys(pipeline.derive ?? {}), outcome.rejectsPath, rejectsPath),
  );
  refuseFrozen(pipeline, ruledBy);
  const parsedBy = Object.entries(parsed.rejectedBy).flatMap(([kind, rows]) =>
    rows > 0 ? [[`row ${kind}`, rows] as const] : [],
  );
  const rows = { read: parsed.rows.read, ...after.rows, rejected: after.rows.rejected + parsed.rows.rejected };
  const datasets = [{ stream: main, path: after.path }];
  for (const stream of streamsOf(pipeline).slice(1)) {
    const aggregate = pipeline.aggregate.find(({ name }) => name === stream.dataset);
    if (!aggregate) continue;
    const path = await timed('aggregates', () =>
      aggregateCleanCsv(after.path, main, aggregate, stream, folder, context),
    );
    datasets.push({ stream, path });
  }
  const profile = await timed('profile', () =>
    profileColumns(after.path, cleanHeader(main), main.clean, rows.clean, folder, context),
  );
  const { missing, fills } = outcome;
  const facts = { rows, missing, sound: outcome.sound, before: table.rowsBefore };
  const report: CleanReport = {
    pipeline: pipeline.name,
    engine: engine.name,
    rows,
    rejectedBy: { ...ruledBy, ...Object.fromEntries(parsedBy) },
    missing,
    fills,
    unknownColumns: table.unknownColumns,
    mended: table.mended,
    seenBefore: after.seen,
    quality: judgeQuality(pipeline.quality, facts),
    schema: { header: parsed.header, columns: main.clean },
    profile,
    timings,
  };
  return { report, facts, datasets, ...(outcome.spark ? { spark: outcome.spark } : {}) };
}

function requireAccounted({ parsed }: Table, { rows }: CleanOutcome): void {
  const { read, parsed: sound, rejected } = parsed.rows;
  const counted = rows.clean + rows.duplicates + rows.filtered + rows.rejected;
  if (counted === sound && sound + rejected === read) return;
  throw new SluiceError(
    'RowsUnaccounted',
    `${read} rows were read and ${rejected} not parsed, but cleaning accounts for ${counted} rows.`,
  );
}

/** Keys of earlier hours taken out, then computed columns put in. */
async function afterEngine(
  { pipeline, earlier }: Table,
  job: CleanJob,
  main: Stream,
  outcome: CleanOutcome,
): Promise<{ path: string; rows: Omit<RowCounts, 'read'>; seen: number }> {
  let path = outcome.cleanPath;
  let rows = { ...outcome.rows };
  let seen = 0;
  if (pipeline.duplicates.acrossRuns === true) {
    const unseen = await dropSeenKeys(job, pipeline.key, path, earlier, pipeline.derive !== undefined);
    seen = rows.clean - unseen.rows;
    rows = { ...rows, clean: unseen.rows, duplicates: rows.duplicates + seen };
    ({ path } = unseen);
  }
  if (pipeline.derive === undefined) return { path, rows, seen };
  const { rules, folder, context } = job;
  const { rejectsPath } = outcome;
  const derived = await deriveInThread(
    { rules, folder, pipeline, clean: main.clean, cleanPath: path, rejectsPath },
    context,
  );
  rows = { ...rows, clean: rows.clean - derived.rejected, rejected: rows.rejected + derived.rejected };
  return { path: derived.path, rows, seen };
}

/** Under `contract.types: freeze` a text that is no value of its column fails the run. */
function refuseFrozen({ contract }: Pipeline, rejectedBy: Readonly<Record<string, number>>): void {
  if (contract.types !== 'freeze') return;
  const broken = Object.entries(rejectedBy).filter(([what]) => /^[a-z0-9_]+ (?:type|precision|scale)$/.test(what));
  if (broken.length === 0) return;
  const named = broken.map(([what, rows]) => `${what.replace(' ', ' (')}) in ${rows} rows`);
  throw new SluiceError(
    'SchemaDrift',
    `Texts are no values of their columns: ${named.join(', ')}; contract.types is freeze: ` +
      'correct the columns of the definition, or set contract.types to discard_row, discard_value or evolve.',
  );
}
