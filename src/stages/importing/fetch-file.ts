import { failPoint } from '../../connectors/fail-point.ts';
import { waitingForEach, waitingOn } from '../../connectors/meter.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { RawFile } from '../../definition/refs.ts';
import { compressionOf } from '../../formats/decompress.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { shownAddress } from './address.ts';
import type { FetchSession } from './fetch-session.ts';
import { openFile } from './file-source.ts';
import { openHttp } from './http-source.ts';
import { PART_BYTES, RawWriter } from './raw-writer.ts';
import { refuseOtherFormats, SNIFF_BYTES } from './refuse-other-formats.ts';
import { openS3 } from './s3-source.ts';
import { openSftp } from './sftp-source.ts';
import type { SourceBytes, SourceRequest } from './source-bytes.ts';

export interface FileFetch {
  readonly deps: StageDeps;
  readonly pipeline: Pipeline;
  readonly session: FetchSession;
  readonly context: StageContext;
  /** Number of the file in the import, from 0. */
  readonly at: number;
  readonly url: URL;
  /** How the file is called: its address as it was given. */
  readonly name: string;
  /** The same file as an earlier hour has it. */
  readonly known?: RawFile;
  readonly extra?: SourceRequest['extra'];
  /** The import has other files besides. */
  readonly several: boolean;
}

export interface Fetched {
  readonly file: RawFile;
  readonly unchanged: boolean;
  readonly notes: readonly string[];
}

const openers: Readonly<Record<string, (request: SourceRequest) => Promise<SourceBytes>>> = {
  'http:': openHttp,
  'https:': openHttp,
  'file:': openFile,
  's3:': openS3,
  'sftp:': openSftp,
};

/** Opens a file by the scheme of its address. */
export async function openSource(request: SourceRequest): Promise<SourceBytes> {
  const open = openers[request.url.protocol];
  if (!open) throw new SluiceError('DefinitionInvalid', `${request.url.protocol} is no scheme that a source may have.`);
  const opened = await waitingOn('source', () => open(request));
  return { ...opened, bytes: waitingForEach('source', opened.bytes) };
}

/**
 * Brings one file into the object store: the rest of it where an earlier attempt has stored the beginning and it is still
 * the same, nothing where it has not changed.
 * @throws SluiceError `Source…`
 */
export async function fetchFile(input: FileFetch): Promise<Fetched> {
  const { deps, pipeline, session, context, at, url, name, known } = input;
  const done = await session.done(at);
  if (done) return { file: done, unchanged: false, notes: [] };
  const resume = session.resumable(at);
  const writer = new RawWriter(deps.store, pipeline.name, session.partsPrefix(at), (state) =>
    session.stored(at, validator, state),
  );
  let validator = resume?.validator;
  const taken = resume !== undefined && (await writer.resume(resume, context.signal));
  const request: SourceRequest = {
    url,
    source: pipeline.source,
    settings: deps.settings,
    signal: context.signal,
    plain: session.again,
    ...(known ? { known } : {}),
    ...(input.extra ? { extra: input.extra } : {}),
  };
  const opened = await openAgain(request, taken ? resume : undefined);
  if (opened.holds === 'unchanged' && known) return { file: known, unchanged: true, notes: opened.notes ?? [] };
  const rest = opened.holds === 'rest';
  // A file that was changed in between begins anew, over what was stored of the other one.
  const target =
    rest || !taken
      ? writer
      : new RawWriter(deps.store, pipeline.name, session.partsPrefix(at), (state) =>
          session.stored(at, validator, state),
        );
  validator = opened.validator;
  const notes = [...(opened.notes ?? []), ...(rest ? [`${name}: resumed at byte ${resume?.bytes}.`] : [])];
  try {
    const bytes = rest ? opened.bytes : sniffed(opened, name, pipeline);
    for await (const chunk of bytes) {
      await target.write(chunk);
      await failPoint('import:mid-download');
      session.progress(target.bytes, `fetched ${target.bytes} bytes`);
    }
    const raw = await target.finish();
    if (raw.bytes === 0) throw new SluiceError('SourceEmpty', `${name} is empty (0 bytes).`);
    const { etag, lastModified } = opened;
    const file = { name, raw, ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
    // What came in one piece is sooner fetched again than remembered.
    if (input.several || raw.bytes > PART_BYTES) await session.keep(at, file);
    return { file, unchanged: false, notes };
  } catch (error) {
    session.progress(target.bytes, 'stopped');
    throw error;
  }
}

/** A server that sends another part than it was asked for is asked for all. */
async function openAgain(request: SourceRequest, resume: SourceRequest['resume']): Promise<SourceBytes> {
  try {
    return await openSource({ ...request, ...(resume ? { resume } : {}) });
  } catch (error) {
    if (!(error instanceof SluiceError) || error.facts['startOver'] !== true) throw error;
    return openSource(request);
  }
}

/** Passes the bytes on once the first of them do not look like something else than CSV. */
async function* sniffed({ bytes, url }: SourceBytes, name: string, { source }: Pipeline): AsyncGenerator<Buffer> {
  if (source.answer.format === 'json') return yield* bytes;
  let head: Buffer | undefined = Buffer.alloc(0);
  const refuse = (first: Buffer): void => {
    if ((source.format.compression ?? compressionOf(first)) === 'none') refuseOtherFormats(first, name, url);
  };
  for await (const chunk of bytes) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < SNIFF_BYTES) continue;
    refuse(head);
    yield head;
    head = undefined;
  }
  if (head === undefined) return;
  refuse(head);
  yield head;
}

/** The name of a file in records and sentences. */
export function nameOf(url: URL): string {
  return url.protocol === 'http:' || url.protocol === 'https:' || url.protocol === 'sftp:'
    ? shownAddress(url)
    : decodeURI(url.href);
}
