import { Readable } from 'node:stream';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { ImportRecord, ImportResult } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { definitionSha } from '../hashing.ts';
import type { ImportInput } from '../io.ts';
import { addressFor, isPast, namesItsHour, shownAddress } from './address.ts';
import { openFile } from './file-source.ts';
import { checkHeader } from './header.ts';
import { openHttp } from './http-source.ts';
import { parseRaw } from './parse-raw.ts';
import { refuseOtherFormats, SNIFF_BYTES } from './sniff.ts';
import type { SourceBytes } from './source-bytes.ts';
import { sameAs } from './unchanged.ts';

/**
 * Fetches the source of an hour, or takes what was fetched for it before, and reads it into the parsed object.
 *
 * The import record is made once the bytes have turned out to be CSV and before its columns are compared: a page of HTML
 * is not worth keeping, a file with a renamed column is, since a corrected definition can replay it.
 * @throws SluiceError `ImportNotRecorded`, `Source…`, `SchemaDrift`
 */
export async function importSource(deps: StageDeps, input: ImportInput, context: StageContext): Promise<ImportResult> {
  const { pipeline, hour } = input;
  const newest = await newestRecord(deps, pipeline.name, hour);
  const replayed = newest !== undefined && !input.refetch;
  if (!replayed) refusePast(input);
  const record = replayed ? newest : await fetchRecord(deps, pipeline, hour, (newest?.n ?? 0) + 1, context);
  const parsed = await parseRaw(deps, pipeline, record.raw, record.source, context);
  const kept = replayed ? record : await keepRecord(deps, record);
  const unknownColumns = checkHeader(pipeline, parsed.header, record.source);
  const sha = definitionSha(pipeline);
  const comparable = newest === undefined && !input.force && !input.refetch && !isPast(hour, new Date());
  const content = { rawSha: kept.raw.sha256, definitionSha: sha };
  const same = comparable ? await sameAs(deps, pipeline.name, hour, content) : undefined;
  return {
    record: kept,
    definitionSha: sha,
    parsed,
    replayed,
    unknownColumns,
    ...(same === undefined ? {} : { sameAs: same }),
  };
}

async function newestRecord(deps: StageDeps, pipeline: string, hour: LogicalHour): Promise<ImportRecord | undefined> {
  const key = await deps.store.lastKey(keys.imports(pipeline, hour));
  return key === undefined ? undefined : deps.store.findJson<ImportRecord>(key);
}

function refusePast({ pipeline, hour, useCurrent, refetch }: ImportInput): void {
  if (useCurrent || !isPast(hour, new Date()) || namesItsHour(pipeline.source.url)) return;
  const why = refetch ? 'is over' : 'is over and was not imported';
  throw new SluiceError(
    'ImportNotRecorded',
    `The hour ${hour} of ${pipeline.name} ${why}, and source.url does not name an hour, so what it held then is gone: ` +
      'pass --use-current to take what it holds now, or put ${hour:YYYY-MM-DD-HH} into source.url.',
  );
}

async function fetchRecord(
  deps: StageDeps,
  pipeline: Pipeline,
  hour: LogicalHour,
  n: number,
  context: StageContext,
): Promise<ImportRecord> {
  const { source } = pipeline;
  const address = addressFor(source.url, hour);
  if (!URL.canParse(address))
    throw new SluiceError('DefinitionInvalid', `source.url of ${pipeline.name} is no address.`);
  const url = new URL(address);
  const request = {
    url,
    headers: source.headers,
    limits: source.limits,
    settings: deps.settings,
    signal: context.signal,
  };
  const fetchedAt = new Date().toISOString();
  const opened = url.protocol === 'file:' ? await openFile(request) : await openHttp(request);
  const { etag, lastModified } = opened;
  const raw = await deps.store.upload(
    Readable.from(sniffed(opened, context), { objectMode: false }),
    (sha256) => keys.raw(pipeline.name, sha256),
    context.signal,
  );
  return {
    pipeline: pipeline.name,
    hour,
    n,
    source: shownAddress(url),
    fetchedAt,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    raw,
  };
}

/** Passes the bytes on once the first of them do not look like something else than CSV. */
async function* sniffed(source: SourceBytes, context: StageContext): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let bytes = 0;
  for await (const chunk of source.bytes) {
    bytes += chunk.length;
    context.progress({ bytes, note: `fetched ${bytes} bytes` });
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < SNIFF_BYTES) continue;
    refuseOtherFormats(head.subarray(0, SNIFF_BYTES), source.url);
    yield head;
    head = undefined;
  }
  if (head === undefined) return;
  refuseOtherFormats(head, source.url);
  yield head;
}

/** Stores a record under the next free number. A lost race for the same bytes is no second import. */
async function keepRecord(deps: StageDeps, record: ImportRecord): Promise<ImportRecord> {
  for (let n = record.n; ; n++) {
    const { created, value } = await deps.store.createJson<ImportRecord>(
      keys.importRecord(record.pipeline, record.hour, n),
      { ...record, n },
    );
    if (created || value.raw.sha256 === record.raw.sha256) return value;
  }
}
