import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Duplex } from 'node:stream';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { ExpansionMeter, throughStream } from '../../formats/decompress.ts';
import { shownAddress } from './address.ts';
import { httpFailure, httpRefusal } from './http-failure.ts';
import { sendHttp, type HttpAnswer, type HttpRequest } from './http-request.ts';
import { noBytes, type SourceBytes, type SourceRequest } from './source-bytes.ts';

const CODINGS: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};
/** How long is waited for bytes behind the declared end. */
const SURPLUS_MS = 50;

/**
 * Opens an http or https source. Its bytes come without the coding of the transfer; a file that is itself compressed stays so.
 * @throws SluiceError `Source…`, `SecretRefused`, in one sentence without query string or user info
 */
export async function openHttp(input: SourceRequest): Promise<SourceBytes> {
  const { source, settings, resume, known } = input;
  const total = AbortSignal.timeout(source.limits.seconds * 1_000);
  const url = new URL(input.url);
  for (const [name, value] of Object.entries({ ...source.query, ...input.extra?.query })) {
    url.searchParams.set(name, settings.secrets.reveal(value, url, settings.sourceAllow));
  }
  const request: HttpRequest = {
    url,
    method: source.method,
    headers: { ...contentType(source.body), ...lowerCased(source.headers), ...input.extra?.headers },
    open: {
      'user-agent': 'sluice',
      accept: source.answer.format === 'json' ? 'application/json, */*;q=0.5' : 'text/csv, */*;q=0.5',
      'accept-encoding': input.plain || resume ? 'identity' : 'zstd, br, gzip',
      connection: 'close',
      ...(resume ? { range: `bytes=${resume.bytes}-`, 'if-range': resume.validator } : {}),
      ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }),
      ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
    },
    ...(source.body === undefined
      ? {}
      : { body: typeof source.body === 'string' ? source.body : JSON.stringify(source.body) }),
    limits: source.limits,
    settings,
    signal: AbortSignal.any([input.signal, total]),
    total,
  };
  const answer = await sendHttp(request);
  try {
    return opened(answer, request, input);
  } catch (error) {
    answer.response.destroy();
    throw error;
  }
}

function contentType(body: unknown): Record<string, string> {
  if (body === undefined) return {};
  return { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' };
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function opened(answer: HttpAnswer, request: HttpRequest, input: SourceRequest): SourceBytes {
  const { url, response } = answer;
  const { resume, known } = input;
  const status = response.statusCode ?? 0;
  const { etag, 'last-modified': lastModified, 'content-encoding': coding = 'identity' } = response.headers;
  const said = { url, ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
  if (status === 304 && known) {
    response.destroy();
    return { ...said, holds: 'unchanged', bytes: noBytes() };
  }
  if (status === 416 && resume && response.headers['content-range'] === `bytes */${resume.bytes}`) {
    response.destroy();
    return { ...said, holds: 'rest', validator: resume.validator, bytes: noBytes() };
  }
  if (status === 204) throw new SluiceError('SourceEmpty', `${shownAddress(url)} answers 204: it has no content.`);
  if (status !== 200 && status !== 206) throw httpRefusal(url, status, response.headers['retry-after']);
  const validator = validatorOf(response);
  const rest = status === 206;
  if (rest && !isRest(response, resume, validator)) {
    throw new SluiceError(
      'SourceCut',
      `${shownAddress(url)} sends another part than was asked for; it is fetched again from its beginning.`,
      { facts: { startOver: true } },
    );
  }
  const next = nextPage(url, [response.headers.link ?? ''].flat().join(', '));
  return {
    ...said,
    holds: rest ? 'rest' : 'all',
    ...(validator !== undefined && coding === 'identity' ? { validator } : {}),
    ...(next === undefined ? {} : { next }),
    bytes: decoded(answer, request, coding.trim().toLowerCase(), rest ? (resume?.bytes ?? 0) : 0),
  };
}

/** A strong ETag, or the time of the last change: by these a server knows whether the rest is of the same file. */
function validatorOf({ headers }: IncomingMessage): string | undefined {
  if (headers.etag !== undefined && !headers.etag.startsWith('W/')) return headers.etag;
  return headers['last-modified'];
}

function isRest(response: IncomingMessage, resume: SourceRequest['resume'], validator: string | undefined): boolean {
  const range = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(response.headers['content-range'] ?? '');
  return (
    resume !== undefined && Number(range?.[1]) === resume.bytes && (validator ?? resume.validator) === resume.validator
  );
}

/** `Link: <…>; rel="next"` */
function nextPage(url: URL, link: string | undefined): URL | undefined {
  for (const [, target = '', parameters = ''] of (link ?? '').matchAll(/<([^>]*)>([^,]*(?:"[^"]*"[^,]*)*)/g)) {
    if (
      /;\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:;|$)/i.test(parameters) &&
      URL.canParse(target, url.href)
    ) {
      return new URL(target, url);
    }
  }
  return undefined;
}

function decoded(answer: HttpAnswer, request: HttpRequest, coding: string, before: number): AsyncIterable<Buffer> {
  const { url } = answer;
  const plain = received(answer, request, before);
  if (coding === 'identity' || coding === '') return plain;
  const decoder = CODINGS[coding];
  if (!decoder) {
    throw new SluiceError(
      'SourceMalformed',
      `${shownAddress(url)} sends the content encoding ${coding}, which cannot be read.`,
    );
  }
  const meter = new ExpansionMeter(request.limits, shownAddress(url));
  return throughStream(plain, decoder(), meter, (error) => {
    const message = `${shownAddress(url)} sends ${coding} that is broken or cut: ${sentenceOf(error)}.`;
    return new SluiceError('SourceCut', message, { cause: error });
  });
}

/** The body as it comes, counted against the limits and the length that was declared. */
async function* received(
  { url, response, late }: HttpAnswer,
  request: HttpRequest,
  before: number,
): AsyncGenerator<Buffer> {
  const { limits } = request;
  const header = response.headers['content-length'];
  const declared = header === undefined ? undefined : before + Number(header);
  let bytes = before;
  let closedByServer = false;
  response.socket.once('end', () => (closedByServer = true));
  const check = (size: number): void => {
    if (size <= limits.bytes) return;
    throw new SluiceError(
      'SourceTooLarge',
      `${shownAddress(url)} has ${size} bytes or more, and source.limits.bytes is ${limits.bytes}: raise the limit if that is right.`,
    );
  };
  try {
    if (declared !== undefined) check(declared);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      check(bytes);
      yield chunk;
    }
    if (declared !== undefined && !response.socket.destroyed) {
      await Promise.race([
        once(response.socket, 'close').catch(() => {}),
        new Promise((done) => setTimeout(done, SURPLUS_MS)),
      ]);
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (closedByServer && declared !== undefined && !request.signal.aborted) throw wrongLength(url, bytes, declared);
    throw httpFailure(
      url,
      error,
      request,
      'SourceCut',
      `at byte ${bytes}${declared === undefined ? '' : ` of ${declared}`}`,
    );
  } finally {
    response.destroy();
  }
  if (late()?.message.startsWith('Parse Error')) throw wrongLength(url, `more than ${bytes}`, declared ?? bytes);
  if (declared !== undefined && bytes !== declared) throw wrongLength(url, bytes, declared);
}

function wrongLength(url: URL, sent: number | string, declared: number): SluiceError {
  return new SluiceError(
    'SourceLengthWrong',
    `${shownAddress(url)} declared ${declared} bytes (Content-Length) and sent ${sent}: it was cut, or the server counts wrongly.`,
  );
}
