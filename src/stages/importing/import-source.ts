import { failPoint } from '../../connectors/fail-point.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { rawFiles, type ImportRecord, type ImportResult } from '../../definition/refs.ts';
import { sourceChecks } from '../../definition/source-checks.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { definitionSha } from '../hashing.ts';
import type { ImportInput } from '../io.ts';
import { requireKept } from '../landing/hour-record.ts';
import { isPast, sourceNamesHours } from './address.ts';
import { fetchImport } from './fetch-import.ts';
import { FetchSession } from './fetch-session.ts';
import { checkHeader } from './header.ts';
import { parseRaw } from './parse-raw.ts';
import { committedBefore, sameAs } from './unchanged.ts';

/**
 * Fetches the source of an hour, or takes what was fetched for it before, and reads it into the parsed object.
 *
 * The import record is made once the bytes have turned out to be CSV and before its columns are compared: a page of HTML
 * is not worth keeping, a file with a renamed column is, since a corrected definition can replay it.
 * @throws SluiceError `ImportNotRecorded`, `HourRemoved`, `Source…`, `SecretRefused`, `SchemaDrift`
 */
export async function importSource(deps: StageDeps, input: ImportInput, context: StageContext): Promise<ImportResult> {
  try {
    return await imported(deps, input, context);
  } catch (error) {
    // Some sentences quote what a server sent, and it may send back what it was given.
    if (!(error instanceof SluiceError)) throw error;
    const message = deps.settings.secrets.redacted(error.message);
    const facts = JSON.parse(deps.settings.secrets.redacted(JSON.stringify(error.facts))) as Record<string, unknown>;
    throw new SluiceError(error.code, message, { facts });
  }
}

async function imported(deps: StageDeps, input: ImportInput, context: StageContext): Promise<ImportResult> {
  const { pipeline, hour } = input;
  await requireKept(deps, streamName(pipeline.name, mainDataset), hour);
  const newest = await newestRecord(deps, pipeline.name, hour);
  const replayed = newest !== undefined && !input.refetch;
  if (!replayed && input.startFrom === 'clean') {
    throw new SluiceError(
      'StageNotReached',
      `The hour ${hour} of ${pipeline.name} has not been imported: run it from import.`,
    );
  }
  if (!replayed) refusePast(input);
  const { record, parsed } = replayed
    ? { record: newest, parsed: await parseRaw(deps, pipeline, newest, context) }
    : await fetched(deps, input, newest, context);
  const unknownColumns = checkHeader(pipeline, parsed.header, record.source);
  const sha = definitionSha(pipeline);
  const comparable = newest === undefined && !input.force && !input.refetch && !isPast(hour, new Date());
  const content = { rawSha: record.raw.sha256, definitionSha: sha };
  const same = comparable ? await sameAs(deps, pipeline.name, hour, content) : undefined;
  return {
    record,
    definitionSha: sha,
    parsed,
    replayed,
    unknownColumns,
    ...(same === undefined ? {} : { sameAs: same }),
  };
}

async function fetched(
  deps: StageDeps,
  input: ImportInput,
  newest: ImportRecord | undefined,
  context: StageContext,
): Promise<Pick<ImportResult, 'record' | 'parsed'>> {
  const { pipeline, hour } = input;
  requireSoundSource(pipeline);
  const session = new FetchSession(deps, pipeline.name, context);
  return session.run(async () => {
    const asksAlways = input.force || input.refetch || newest !== undefined;
    const before = asksAlways ? undefined : await importBefore(deps, pipeline.name, hour);
    const record = await fetchImport({ deps, pipeline, hour, n: (newest?.n ?? 0) + 1, before, session, context });
    const parsed = await parseRaw(deps, pipeline, record, session.context);
    await failPoint('import:before-record');
    return { record: await keepRecord(deps, record), parsed };
  });
}

/** A workflow can be started with anything; what would send secrets elsewhere is looked at once more, right here. */
function requireSoundSource(pipeline: Pipeline): void {
  const [finding] = sourceChecks(pipeline);
  if (!finding) return;
  throw new SluiceError('DefinitionInvalid', `${finding.path.join('.')}: ${finding.message}.`);
}

/** The import of the newest committed hour below this one. */
async function importBefore(deps: StageDeps, pipeline: string, hour: LogicalHour): Promise<ImportRecord | undefined> {
  const before = await committedBefore(deps, pipeline, hour);
  return before && newestRecord(deps, pipeline, before.hour);
}

/** What an hour was imported from last; undefined where it never was. */
export async function newestRecord(
  deps: Pick<StageDeps, 'store'>,
  pipeline: string,
  hour: LogicalHour,
): Promise<ImportRecord | undefined> {
  const key = await deps.store.lastKey(keys.imports(pipeline, hour));
  return key === undefined ? undefined : deps.store.findJson<ImportRecord>(key);
}

function refusePast({ pipeline, hour, useCurrent, refetch }: ImportInput): void {
  if (useCurrent || !isPast(hour, new Date()) || sourceNamesHours(pipeline.source)) return;
  const why = refetch ? 'is over' : 'is over and was not imported';
  throw new SluiceError(
    'ImportNotRecorded',
    `The hour ${hour} of ${pipeline.name} ${why}, and source.url does not name an hour, so what it held then is gone: ` +
      'pass --use-current to take what it holds now, or put ${hour:YYYY-MM-DD-HH} into source.url.',
  );
}

/** Stores a record under the next free number. A lost race for the same bytes is no second import. */
async function keepRecord(deps: StageDeps, record: ImportRecord): Promise<ImportRecord> {
  for (let n = record.n; ; n++) {
    const { created, value } = await deps.store.createJson<ImportRecord>(
      keys.importRecord(record.pipeline, record.hour, n),
      { ...record, n },
    );
    if (created) await requireFiles(deps, value);
    if (created || value.raw.sha256 === record.raw.sha256) return value;
  }
}

/**
 * A file that was there already may have been unnamed until now, and on its way out: gc looks for new records after it has removed one,
 * and the record's writer looks for its files after the record, so one of the two sees the other.
 */
async function requireFiles({ store }: StageDeps, record: ImportRecord): Promise<void> {
  for (const { uri } of [record.raw, ...rawFiles(record).map(({ raw }) => raw)]) {
    if (await store.exists(store.keyOf(uri))) continue;
    await store.remove([keys.importRecord(record.pipeline, record.hour, record.n)]);
    throw new SluiceError('StoreUnavailable', `${uri} was collected while it was imported; it is fetched again.`);
  }
}
