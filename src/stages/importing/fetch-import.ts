import { canonicalJson } from '../../definition/canonical-json.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { keys } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { rawFiles, type ImportRecord, type ObjectRef, type RawFile } from '../../definition/refs.ts';
import { addressesOf, type Source } from '../../definition/source.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { addressFor } from './address.ts';
import { fetchFile, nameOf, type FileFetch } from './fetch-file.ts';
import { fetchPages } from './fetch-pages.ts';
import type { FetchSession } from './fetch-session.ts';
import { targetsOf, type Target } from './targets.ts';
import { tokenHeader } from './token.ts';

export interface ImportFetch {
  readonly deps: StageDeps;
  readonly pipeline: Pipeline;
  readonly hour: LogicalHour;
  /** Number of the record. */
  readonly n: number;
  /** The import that the source may say nothing has changed since. */
  readonly before: ImportRecord | undefined;
  readonly session: FetchSession;
  readonly context: StageContext;
}

/**
 * Fetches every file of a source for an hour. The record is not stored yet.
 * @throws SluiceError `Source…`, `SecretRefused`
 */
export async function fetchImport(input: ImportFetch): Promise<ImportRecord> {
  const { deps, hour, n, context } = input;
  const pipeline = { ...input.pipeline, source: sourceFor(input.pipeline.source, hour) };
  const requestSha = requestShaOf(pipeline.source);
  const fetchedAt = new Date().toISOString();
  const targets = await targetsOf(deps, pipeline, hour, context);
  const before = await usable(deps, input.before, requestSha);
  const files: RawFile[] = [];
  const notes: string[] = [];
  let unchanged = before !== undefined;
  for (const target of targets) {
    const done = await fetchTarget({ ...input, pipeline, before }, target, files.length, targets.length > 1);
    files.push(...done.files);
    notes.push(...target.notes, ...done.notes);
    unchanged &&= done.unchanged;
  }
  const [only] = files;
  const source = sourceName(pipeline.source);
  // Where names are a column, the same bytes under another name are another content.
  const listed = files.length !== 1 || only?.pages !== undefined || pipeline.source.nameColumn !== undefined;
  const single = listed ? undefined : only;
  const { etag, lastModified } = single ?? {};
  return {
    pipeline: pipeline.name,
    hour,
    n,
    source,
    requestSha,
    fetchedAt,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    raw: single?.raw ?? (await storeList(deps, pipeline.name, files)),
    ...(single?.name === source ? {} : { files }),
    ...(unchanged && before ? { notModifiedSince: before.hour } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

async function fetchTarget(
  { deps, pipeline, before, session, context }: ImportFetch,
  target: Target,
  at: number,
  several: boolean,
): Promise<{ files: RawFile[]; unchanged: boolean; notes: readonly string[] }> {
  const { source } = pipeline;
  const headers = await tokenHeader(source, target.url, deps.settings, context.signal);
  const known = before && rawFiles(before).find(({ name, pages }) => name === target.name && pages === undefined);
  const fetch: FileFetch = {
    ...{ deps, pipeline, session, context, at, several },
    url: target.url,
    name: target.name,
    ...(known ? { known } : {}),
    extra: { headers },
  };
  if (source.paging) return { files: await fetchPages(fetch), unchanged: false, notes: [] };
  const { file, unchanged, notes } = await fetchFile(fetch);
  return { files: [file], unchanged, notes };
}

/** The earlier import, where it asked for the same and its bytes are still there. */
async function usable(
  deps: StageDeps,
  before: ImportRecord | undefined,
  requestSha: string,
): Promise<ImportRecord | undefined> {
  if (before?.requestSha !== requestSha) return undefined;
  for (const { raw } of rawFiles(before)) if (!(await deps.store.exists(deps.store.keyOf(raw.uri)))) return undefined;
  return before;
}

/** The list of several files is an object as a file is: its hash says whether anything has changed. */
async function storeList(deps: StageDeps, pipeline: string, files: readonly RawFile[]): Promise<ObjectRef> {
  const list = files.map(({ name, raw: { sha256, bytes }, pages }) => ({
    name,
    sha256,
    bytes,
    ...(pages ? { pages } : {}),
  }));
  const text = Buffer.from(canonicalJson(list));
  return deps.store.put(keys.raw(pipeline, sha256Hex(text)), text);
}

/** The source of an hour: its placeholders filled. */
function sourceFor(source: Source, hour: LogicalHour): Source {
  const filled = <T>(value: T): T => {
    if (typeof value === 'string') return addressFor(value, hour) as T;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(filled) as T;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filled(inner as unknown)])) as T;
  };
  return { ...source, url: filled(source.url), query: filled(source.query), body: filled(source.body) };
}

/** Secrets stand in it by name, so it gives none away; and a changed secret is no other request. */
function requestShaOf({ url, headers, query, method, body, token, answer, paging, sftp }: Source): string {
  const request = { url, headers, query, method, body, token, answer, paging, user: sftp?.user };
  return sha256Hex(canonicalJson(JSON.parse(JSON.stringify(request))));
}

function sourceName(source: Source): string {
  const [first = '', ...others] = addressesOf(source);
  const name = /[*{[]/.test(first) || !URL.canParse(first) ? first : nameOf(new URL(first));
  return others.length === 0 ? name : `${name} and ${others.length} more`;
}
