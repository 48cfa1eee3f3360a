import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Settings } from '../../connectors/settings.ts';
import { tracedRequest } from '../../connectors/tracing.ts';
import { SluiceError, type ErrorCode } from '../../definition/errors.ts';
import type { Source } from '../../definition/source.ts';
import { guardedLookup } from './address-guard.ts';
import { shownAddress } from './address.ts';
import { httpFailure } from './http-failure.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  /** Values may refer to secrets. They go to the origin of `url` only. */
  readonly headers: Readonly<Record<string, string>>;
  /** Go wherever a redirect leads. */
  readonly open: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly limits: Source['limits'];
  readonly settings: Settings;
  readonly signal: AbortSignal;
  /** Ends with the time for the whole download. */
  readonly total: AbortSignal;
}

export interface HttpAnswer {
  readonly url: URL;
  readonly response: IncomingMessage;
  /** What went wrong on the connection behind the answer's end: more bytes than were declared. */
  late(): Error | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request. Redirects are followed by hand, and each hop is checked anew: its address, and whether secrets and the
 * definition's own headers may go there.
 * @throws SluiceError `Source…`, `SecretRefused`, in one sentence without query string or user info
 */
export async function sendHttp(input: HttpRequest): Promise<HttpAnswer> {
  let { url, method } = input;
  let body = input.body;
  for (let hop = 0; ; hop++) {
    const home = url.origin === input.url.origin;
    const reveal = (text: string): string => input.settings.secrets.reveal(text, url, input.settings.sourceAllow);
    const own = home ? Object.entries(input.headers).map(([name, value]) => [name, reveal(value)] as const) : [];
    const sent = body === undefined ? undefined : reveal(body);
    // No path: it may be what only those may know who may fetch.
    const about = { 'http.request.method': method, 'server.address': url.hostname, 'server.port': portOf(url) };
    const at = url;
    const by = method;
    const { response, late } = await tracedRequest('source', `${by} ${at.hostname}`, about, async (span) => {
      const answer = await ask(at, by, { ...input.open, ...Object.fromEntries(own) }, sent, input);
      span?.set({ 'http.response.status_code': answer.response.statusCode });
      return answer;
    });
    const location = response.headers.location;
    if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined) return { url, response, late };
    response.destroy();
    const { redirects } = input.limits;
    if (hop >= redirects) {
      throw new SluiceError(
        'SourceRedirects',
        `${shownAddress(input.url)} redirects more than ${redirects} times (source.limits.redirects): give the final address itself.`,
      );
    }
    const next = nextHop(url, location);
    if (method === 'POST' && (response.statusCode === 307 || response.statusCode === 308)) {
      if (next.origin !== url.origin) throw refusal(url, `${next.host}, and what was sent is not sent on`);
    } else {
      method = 'GET';
      body = undefined;
    }
    url = next;
  }
}

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80));

function nextHop(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refusal(from, 'something that is no address');
  const next = new URL(location, from);
  if (next.protocol !== 'https:' && !(next.protocol === 'http:' && from.protocol === 'http:')) {
    throw refusal(from, `${next.protocol}//${next.host}, which is less safe`);
  }
  next.username = '';
  next.password = '';
  return next;
}

function refusal(from: URL, where: string): SluiceError {
  return new SluiceError(
    'SourceAddressRefused',
    `${shownAddress(from)} redirects to ${where}; give the final address itself.`,
  );
}

async function ask(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  input: HttpRequest,
): Promise<Omit<HttpAnswer, 'url'>> {
  const lookup = guardedLookup(url, input.settings.sourceAllow);
  const secure = url.protocol === 'https:';
  const { connectSeconds, idleSeconds } = input.limits;
  const connecting = AbortSignal.timeout(connectSeconds * 1_000);
  return new Promise((resolve, reject) => {
    let code: ErrorCode = 'SourceUnavailable';
    const request = (secure ? httpsRequest : httpRequest)({
      ...urlToHttpOptions(url),
      method,
      agent: false,
      lookup,
      signal: input.signal,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) },
    });
    const give = (given: ErrorCode, error: Error): void => {
      code = given;
      (answer ?? request).destroy(error);
    };
    const tooSlow = () =>
      give('SourceUnavailable', new Error(`no connection within ${connectSeconds} s (source.limits.connectSeconds)`));
    connecting.addEventListener('abort', tooSlow);
    request.on('socket', (socket) =>
      socket.once(secure ? 'secureConnect' : 'connect', () => connecting.removeEventListener('abort', tooSlow)),
    );
    // An error given to the request does not reach the reader of a response that has begun.
    let answer: IncomingMessage | undefined;
    request.setTimeout(idleSeconds * 1_000, () =>
      give(
        'SourceStalled',
        Object.assign(new Error(`no byte for ${idleSeconds} s (source.limits.idleSeconds)`), { code: 'STALLED' }),
      ),
    );
    request.on('response', (response) => {
      answer = response;
      resolve({ response, late: () => behind });
    });
    let behind: Error | undefined;
    request.on('error', (error) => {
      if (answer?.complete) behind = error;
      reject(httpFailure(url, error, input, code));
    });
    request.end(body);
  });
}
