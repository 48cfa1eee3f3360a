import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { inGroups } from '../in-groups.ts';
import { listByHour } from '../landing/committed-hours.ts';
import { lagByStream } from '../landing/consumer-lag.ts';
import type { RunReport } from '../run-report.ts';
import { documentsFound, type OperationsDocument } from './operations-documents.ts';
import { indexedRuns, prepareOperationsIndex, writeDocuments } from './operations-index.ts';
import { removedHours } from './removed-hours.ts';

type Deps = Pick<StageDeps, 'store' | 'search' | 'log'>;

/** A run’s report brings what is missing of its pipeline’s hours of so many days. */
const HEALED_MS = 3 * 24 * 3_600_000;
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
  /** Keys of what is no report, or is one that the index refuses. */
  readonly unreadable: readonly string[];
}

/** Where the report of an attempt lies, and whose it is. */
interface Attempt {
  readonly key: string;
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly runId: string;
}

/** What is indexed of an attempt; undefined where its report cannot be read. */
interface Found {
  readonly key: string;
  readonly documents: readonly OperationsDocument[] | undefined;
}

/** Whether a report of the pipeline that comes now would bring what is missing of that hour. */
export const isHealed = (hour: LogicalHour): boolean => hour >= toLogicalHour(Date.now() - HEALED_MS);

/**
 * Indexes the report of a run that is over, and then with it what is missing of its pipeline's hours of the last days. Done again it comes to the
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
  // Alone: whatever is wrong with others keeps this one from nothing.
  const itself = { key: keys.attempt(pipeline, hour, runId, 'run.json'), pipeline, hour, runId };
  const own = await fill(deps, [itself], ctx, (refusal) => {
    throw refusal;
  });
  const from = toLogicalHour(Date.now() - HEALED_MS);
  const known = await indexedRuns(deps, pipeline, from);
  const missing: Attempt[] = [];
  for await (const { key } of listByHour(deps, keys.runs(pipeline), { from })) {
    const attempt = attemptOf(key);
    if (attempt && attempt.runId !== runId && !known.has(attempt.runId)) missing.push(attempt);
  }
  const others = await fill(deps, missing, ctx);
  return {
    reports: own.reports + others.reports,
    documents: own.documents + others.documents,
    unreadable: [...own.unreadable, ...others.unreadable],
  };
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

/** @param refused told why the index refuses a report; it is left out where this returns */
async function fill(
  deps: Deps,
  attempts: readonly Attempt[],
  ctx: StageContext,
  refused: (refusal: SluiceError) => void = () => {},
): Promise<Filled> {
  const isRemoved = removedHours(deps);
  const unreadable: string[] = [];
  let [reports, documents] = [0, 0];
  for (let at = 0; at < attempts.length; at += AT_ONCE) {
    ctx.signal.throwIfAborted();
    const read = await inGroups(attempts.slice(at, at + AT_ONCE), async (attempt) => {
      // Retention has taken the hour out of the index, and gc will take its report.
      return (await isRemoved(attempt)) ? undefined : readAttempt(deps, attempt);
    });
    const found = read.filter((one) => one !== undefined);
    const written = await write(deps, found, ctx, refused);
    documents += written.documents;
    unreadable.push(...written.unreadable);
    reports += found.length - written.unreadable.length;
    ctx.progress({ rows: documents, note: `indexed ${countText(reports)} reports of ${countText(attempts.length)}` });
  }
  return { reports, documents, unreadable };
}

/** Writes them all at once; one by one where the index refuses one, as that is to keep no other from it. */
async function write(
  deps: Deps,
  found: readonly Found[],
  ctx: StageContext,
  refused: (refusal: SluiceError) => void,
): Promise<Omit<Filled, 'reports'>> {
  const unreadable = found.filter(({ documents }) => documents === undefined).map(({ key }) => key);
  const sound = found.flatMap(({ key, documents }) => (documents === undefined ? [] : [{ key, documents }]));
  const all = sound.flatMap(({ documents }) => documents);
  const outcome = await writeDocuments(deps, all, ctx).catch(refusalOf);
  if (typeof outcome === 'number') return { documents: outcome, unreadable };
  let written = 0;
  for (const { key, documents } of sound) {
    const one = await writeDocuments(deps, documents, ctx).catch(refusalOf);
    if (typeof one === 'number') written += one;
    else {
      refused(one);
      unreadable.push(key);
    }
  }
  return { documents: written, unreadable };
}

function refusalOf(error: unknown): SluiceError {
  if (error instanceof SluiceError && error.code === 'IndexMismatch') return error;
  throw error;
}

/** What is indexed of an attempt; undefined where it has no report. */
async function readAttempt({ store }: Deps, attempt: Attempt): Promise<Found | undefined> {
  const { key, pipeline, hour, runId } = attempt;
  try {
    const [report, lag] = await Promise.all([
      store.findJson<unknown>(key),
      store.findJson<Lag>(keys.lag(pipeline, hour, runId)),
    ]);
    if (report === undefined) return undefined;
    const behind = lag?.records && Object.values(lag.records).reduce((sum, records) => sum + records, 0);
    return { key, documents: documentsFound(report, attempt, behind) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { key, documents: undefined };
  }
}

function attemptOf(key: string): Attempt | undefined {
  const [, pipeline, folder, runId] =
    /^runs\/([^/]+)\/(\d{4}-\d\d-\d\dT\d\d)\/attempts\/([^/]+)\/run\.json$/.exec(key) ?? [];
  if (pipeline === undefined || folder === undefined || runId === undefined) return undefined;
  return { key, pipeline, hour: `${folder}:00:00Z`, runId };
}

/** Keeps the lag beside the report, create-once: what is indexed of the run is the same whenever it is written. Nothing where Kafka does not say. */
async function keepLag(deps: Deps, { pipeline, hour, runId }: RunReport, definition: Pipeline): Promise<void> {
  try {
    const records = await lagByStream(deps, definition);
    if (!records) return;
    const lag: Lag = { at: new Date().toISOString(), records };
    await deps.store.createJson(keys.lag(pipeline, hour, runId), lag);
  } catch {
    // A topic that is not there yet, or a broker that is away: the run's numbers are there without it.
  }
}
