import { setTimeout as wait } from 'node:timers/promises';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { streamsOf } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import { listByHour } from '../landing/committed-hours.ts';
import { consumerLag } from '../landing/consumer-lag.ts';
import { newestHour } from '../landing/hour-record.ts';
import type { RunReport } from '../run-report.ts';
import { indexedRuns, prepareOperationsIndex, writeReports, type ReportToIndex } from './operations-index.ts';

type Deps = Pick<StageDeps, 'store' | 'search' | 'log'>;

/** A run’s report brings what is missing of its pipeline’s hours of so many days. */
const HEALED_MS = 3 * 24 * 3_600_000;
const LAG_PATIENCE_MS = 5_000;
/** So many reports are read and written at once. */
const AT_ONCE = 200;

/** How far a run's consumers were behind when it was over. */
interface Lag {
  readonly at: string;
  /** Records by stream. */
  readonly records: Readonly<Record<string, number>>;
}

/** What became of reports that were to be indexed. */
export interface Filled {
  readonly reports: number;
  readonly documents: number;
  /** Keys of reports that could not be read. */
  readonly unreadable: readonly string[];
}

/** Where the report of an attempt lies, and whose it is. */
interface Attempt {
  readonly key: string;
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly runId: string;
}

/**
 * Indexes the report of a run that is over, and with it what is missing of its pipeline's hours of the last days. Done again it comes to the
 * same documents.
 * @param definition what shaped the run; without it nobody knows its topics, and nothing is said of its lag
 * @throws SluiceError `ElasticsearchUnavailable`, `StoreUnavailable`, `IndexMismatch`
 */
export async function indexReport(
  deps: Deps,
  report: RunReport,
  definition: Pipeline | undefined,
  ctx: StageContext,
): Promise<Filled> {
  const { pipeline, hour, runId } = report;
  if (definition) await keepLag(deps, report, definition);
  await prepareOperationsIndex(deps);
  const from = toLogicalHour(Date.now() - HEALED_MS);
  const known = await indexedRuns(deps, pipeline, from);
  const missing: Attempt[] = [{ key: keys.attempt(pipeline, hour, runId, 'run.json'), pipeline, hour, runId }];
  for await (const { key } of listByHour(deps, keys.runs(pipeline), { from })) {
    const attempt = attemptOf(key);
    if (attempt && attempt.runId !== runId && !known.has(attempt.runId)) missing.push(attempt);
  }
  return fill(deps, missing, ctx);
}

/**
 * Indexes the reports of all runs, of one pipeline or of all, over what stands there of them.
 * @throws SluiceError as {@link indexReport}
 */
export async function fillOperations(
  deps: Deps,
  { pipeline }: { readonly pipeline?: string },
  ctx: StageContext,
): Promise<Filled> {
  await prepareOperationsIndex(deps);
  const attempts: Attempt[] = [];
  for await (const { key } of deps.store.list(pipeline === undefined ? keys.runsAll() : keys.runs(pipeline))) {
    const attempt = attemptOf(key);
    if (attempt) attempts.push(attempt);
  }
  return fill(deps, attempts, ctx);
}

async function fill(deps: Deps, attempts: readonly Attempt[], ctx: StageContext): Promise<Filled> {
  const removed = new Map<string, Promise<boolean>>();
  const isRemoved = ({ pipeline, hour }: Attempt): Promise<boolean> => {
    const name = `${pipeline} ${hour}`;
    const found =
      removed.get(name) ??
      newestHour(deps, streamName(pipeline, mainDataset), hour).then((newest) => newest?.removed !== undefined);
    removed.set(name, found);
    return found;
  };
  const unreadable: string[] = [];
  let [reports, documents] = [0, 0];
  for (let at = 0; at < attempts.length; at += AT_ONCE) {
    ctx.signal.throwIfAborted();
    const read = await inGroups(attempts.slice(at, at + AT_ONCE), async (attempt) => {
      // Retention has taken the hour out of the index, and gc will take its report.
      if (await isRemoved(attempt)) return undefined;
      return readAttempt(deps, attempt).catch((error: unknown) => {
        if (!(error instanceof SyntaxError)) throw error;
        unreadable.push(attempt.key);
        return undefined;
      });
    });
    const found = read.filter((one) => one !== undefined);
    documents += await writeReports(deps, found, ctx);
    reports += found.length;
    ctx.progress({ rows: documents, note: `indexed ${reports} reports of ${attempts.length}` });
  }
  return { reports, documents, unreadable };
}

async function readAttempt(
  { store }: Deps,
  { key, pipeline, hour, runId }: Attempt,
): Promise<ReportToIndex | undefined> {
  const [report, lag] = await Promise.all([
    store.findJson<RunReport>(key),
    store.findJson<Lag>(keys.lag(pipeline, hour, runId)),
  ]);
  if (!report) return undefined;
  if (!lag) return { report };
  return { report, lag: Object.values(lag.records).reduce((sum, records) => sum + records, 0) };
}

function attemptOf(key: string): Attempt | undefined {
  const [, pipeline, folder, runId] =
    /^runs\/([^/]+)\/(\d{4}-\d\d-\d\dT\d\d)\/attempts\/([^/]+)\/run\.json$/.exec(key) ?? [];
  if (pipeline === undefined || folder === undefined || runId === undefined) return undefined;
  return { key, pipeline, hour: `${folder}:00:00Z`, runId };
}

/** Keeps the lag beside the report, create-once: what is indexed of the run is the same whenever it is written. Nothing where Kafka does not say. */
async function keepLag(deps: Deps, { pipeline, hour, runId }: RunReport, definition: Pipeline): Promise<void> {
  const over = new AbortController();
  try {
    const records = await Promise.race([
      Promise.all(
        streamsOf(definition).map(async ({ name, topic }) => {
          const partitions = await consumerLag(deps, name, topic);
          return [name, partitions.reduce((sum, { lag }) => sum + lag, 0)] as const;
        }),
      ),
      wait(LAG_PATIENCE_MS, undefined, { signal: over.signal }),
    ]);
    if (!records) return;
    const lag: Lag = { at: new Date().toISOString(), records: Object.fromEntries(records) };
    await deps.store.createJson(keys.lag(pipeline, hour, runId), lag);
  } catch {
    // A topic that is not there yet, or a broker that is away: the run's numbers are there without it.
  } finally {
    over.abort();
  }
}
