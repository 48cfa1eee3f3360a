import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { SluiceError, sentenceOf, type ErrorCode } from '../../definition/errors.ts';
import { guardedLookup } from './address-guard.ts';
import { shownAddress } from './address.ts';
import type { SourceBytes, SourceRequest } from './source-bytes.ts';

const CONNECT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Opens an http or https source. Redirects are followed by hand, and each hop is checked anew. Headers of the definition
 * go to the definition's own host only.
 * @throws SluiceError `Source…`, in one sentence without query string or user info.
 */
export async function openHttp(input: SourceRequest): Promise<SourceBytes> {
  const total = AbortSignal.timeout(input.limits.seconds * 1_000);
  const request = { ...input, signal: AbortSignal.any([input.signal, total]) };
  let url = request.url;
  for (let hop = 0; ; hop++) {
    const response = await ask(url, url.origin === request.url.origin ? request.headers : {}, request);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (!REDIRECTS.has(status) || location === undefined) return opened(url, response, request, total);
    response.destroy();
    if (hop >= request.limits.redirects) {
      throw new SluiceError(
        'SourceUnavailable',
        `${shownAddress(request.url)} redirects more than ${request.limits.redirects} times (source.limits.redirects).`,
      );
    }
    url = nextHop(url, location);
  }
}

function nextHop(from: URL, location: string): URL {
  const refuse = (where: string) =>
    new SluiceError(
      'SourceAddressRefused',
      `${shownAddress(from)} redirects to ${where}; give the final address itself.`,
    );
  if (!URL.canParse(location, from.href)) throw refuse('something that is no address');
  const next = new URL(location, from);
  if (next.protocol !== 'https:' && !(next.protocol === 'http:' && from.protocol === 'http:')) {
    throw refuse(`${next.protocol}//${next.host}, which is less safe`);
  }
  return next;
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  input: SourceRequest,
): Promise<IncomingMessage> {
  const lookup = guardedLookup(url, input.settings.sourceAllow);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const connecting = AbortSignal.timeout(CONNECT_MS);
  return new Promise((resolve, reject) => {
    const request = send({
      ...urlToHttpOptions(url),
      agent: false,
      lookup,
      signal: input.signal,
      headers: { 'user-agent': 'sluice', accept: 'text/csv, */*;q=0.5', 'accept-encoding': 'identity', ...headers },
    });
    const tooSlow = () => request.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`));
    connecting.addEventListener('abort', tooSlow);
    request.on('socket', (socket) =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () =>
        connecting.removeEventListener('abort', tooSlow),
      ),
    );
    // An error given to the request does not reach the reader of a response that has begun.
    let answer: IncomingMessage | undefined;
    request.setTimeout(input.limits.idleSeconds * 1_000, () =>
      (answer ?? request).destroy(new Error(`no byte for ${input.limits.idleSeconds} s`)),
    );
    request.on('response', (response) => {
      answer = response;
      resolve(response);
    });
    request.on('error', (error) => reject(failed(url, error, input, 'SourceUnavailable')));
    request.end();
  });
}

function opened(url: URL, response: IncomingMessage, input: SourceRequest, total: AbortSignal): SourceBytes {
  const status = response.statusCode ?? 0;
  if (status !== 200) {
    response.destroy();
    throw refusal(url, status);
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    response.destroy();
    throw new SluiceError(
      'SourceMalformed',
      `${shownAddress(url)} sends ${encoding}, though it was asked for plain bytes.`,
    );
  }
  const declared =
    response.headers['content-length'] === undefined ? undefined : Number(response.headers['content-length']);
  if (declared !== undefined && declared > input.limits.bytes) {
    response.destroy();
    throw tooLarge(url, declared, input.limits.bytes);
  }
  const { etag, 'last-modified': lastModified, 'content-type': contentType } = response.headers;
  return {
    url,
    ...(etag ? { etag } : {}),
    ...(lastModified ? { lastModified } : {}),
    ...(contentType ? { contentType } : {}),
    bytes: body(url, response, input, declared, total),
  };
}

async function* body(
  url: URL,
  response: IncomingMessage,
  input: SourceRequest,
  declared: number | undefined,
  total: AbortSignal,
): AsyncGenerator<Buffer> {
  let received = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > input.limits.bytes) throw tooLarge(url, received, input.limits.bytes);
      yield chunk;
    }
  } catch (error) {
    if (total.aborted && !(error instanceof SluiceError)) {
      throw new SluiceError(
        'SourceCut',
        `${shownAddress(url)} was not through after ${input.limits.seconds} s, at byte ${received} (source.limits.seconds).`,
        { cause: error },
      );
    }
    throw failed(
      url,
      error,
      input,
      'SourceCut',
      `at byte ${received}${declared === undefined ? '' : ` of ${declared}`}`,
    );
  } finally {
    response.destroy();
  }
  if (declared !== undefined && received !== declared) {
    throw new SluiceError('SourceCut', `${shownAddress(url)} ended at byte ${received} of ${declared}.`);
  }
}

function refusal(url: URL, status: number): SluiceError {
  const said = `${shownAddress(url)} answers ${status}`;
  if (status === 404 || status === 410) {
    return new SluiceError('SourceNotFound', `${said}: there is no such file; correct source.url.`);
  }
  if (status === 401 || status === 403) {
    return new SluiceError('SourceForbidden', `${said}: it may not be read without permission.`);
  }
  const transient = status === 408 || status === 425 || status === 429 || status >= 500;
  return transient
    ? new SluiceError('SourceUnavailable', `${said}.`)
    : new SluiceError('SourceNotFound', `${said}, where 200 was expected; correct source.url or source.headers.`);
}

function tooLarge(url: URL, bytes: number, limit: number): SluiceError {
  return new SluiceError(
    'SourceTooLarge',
    `${shownAddress(url)} has ${bytes} bytes or more, and source.limits.bytes is ${limit}: raise it if that is right.`,
  );
}

function failed(url: URL, error: unknown, input: SourceRequest, code: ErrorCode, where = ''): unknown {
  if (error instanceof SluiceError) return error;
  if (input.signal.aborted && !isTimeout(input.signal.reason)) return input.signal.reason;
  const why = isTimeout(input.signal.reason) ? `no answer within ${input.limits.seconds} s` : sentenceOf(error);
  return new SluiceError(code, `${shownAddress(url)} failed${where === '' ? '' : ` ${where}`}: ${why}.`, {
    cause: error,
  });
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}
