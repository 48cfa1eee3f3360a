import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { sentenceOf, SluiceError, type ErrorCode } from '../definition/errors.ts';
import { waitOf } from './retry-after.ts';

/** What is posted as JSON. */
export interface Post {
  /** Never shown but for its host: whoever has the address of a webhook can send. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** What is asked, for sentences: `Slack`. */
  readonly what: string;
  /** Of a failure after which another try makes sense. */
  readonly code: Extract<ErrorCode, 'SlackUnavailable' | 'WebhookUnavailable'>;
}

const CONNECT_MS = 5_000;
const ANSWER_MS = 20_000;
/** Of an answer only the beginning is read: a word or a line of it may say what is wrong. */
const MOST_ANSWER_BYTES = 2_000;

/** A gateway says these, and of what is behind it nobody knows: 520 and 524 are Cloudflare's, 598 and 599 other proxies'. */
const AMBIGUOUS = new Set([502, 504, 520, 524, 598, 599]);
const LATER = new Set([408, 425, 429, 500, 503]);

/**
 * Posts once. Redirects are not followed: what is sent is for that address alone.
 * @param silenceMs how long the other side may take to answer
 * @returns once the other side has said that it has taken the message
 * @throws SluiceError of the post's code; its fact `accepted` is false where the message surely was not taken, `retryAfterMs` is there where the
 * other side said when to come again. `DeliveryRefused` where it will not take it at any time
 */
export async function post(message: Post, silenceMs = ANSWER_MS): Promise<void> {
  const { status, retryAfter, said } = await ask(message, silenceMs);
  if (status >= 200 && status < 300) return;
  const { what, url, code } = message;
  const answer = `${what} at ${url.host} answers ${status}${said === '' ? '' : ` (${said})`}`;
  if (AMBIGUOUS.has(status)) {
    throw new SluiceError(code, `${answer}: whether it has taken the message is not known.`, {
      facts: { accepted: 'unknown' },
    });
  }
  if (LATER.has(status) || status > 504) {
    const wait = waitOf(retryAfter, Date.now());
    const asks = wait === undefined ? '' : ` and asks to be left alone for ${Math.ceil(wait / 1_000)} s`;
    throw new SluiceError(code, `${answer}${asks}.`, {
      facts: { accepted: false, ...(wait === undefined ? {} : { retryAfterMs: wait }) },
    });
  }
  const why =
    status >= 300 && status < 400 ? 'give its final address, redirects are not followed' : 'look at its address';
  throw new SluiceError('DeliveryRefused', `${answer} and has not taken the message: ${why}.`, {
    facts: { accepted: false },
  });
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly said: string;
}

function ask({ url, headers, body, what, code }: Post, silenceMs: number): Promise<Answer> {
  const secure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    // Not a byte of the message goes out before.
    let connected = false;
    const request = (secure ? httpsRequest : httpRequest)({
      ...urlToHttpOptions(url),
      method: 'POST',
      agent: false,
      headers: {
        'user-agent': 'sluice',
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        ...headers,
      },
    });
    const connecting = setTimeout(
      () => request.destroy(new Error(`no connection within ${CONNECT_MS / 1_000} s`)),
      CONNECT_MS,
    );
    const answering = setTimeout(
      () => request.destroy(new Error(`no answer within ${Math.ceil(silenceMs / 1_000)} s`)),
      CONNECT_MS + silenceMs,
    );
    const settled = (): void => {
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    request.on('socket', (socket) =>
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(connecting);
      }),
    );
    request.on('response', (response) => {
      // The status is the answer; what comes behind it explains.
      const chunks: Buffer[] = [];
      let bytes = 0;
      const done = (): void => {
        settled();
        response.destroy();
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          said: oneLine(Buffer.concat(chunks).toString('utf8')),
        });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MOST_ANSWER_BYTES) done();
      });
      response.on('end', done);
      response.on('error', done);
      response.on('close', done);
    });
    request.on('error', (error) => {
      settled();
      const unknown = connected ? ' Whether it has taken the message is not known.' : '';
      reject(
        new SluiceError(code, `${what} at ${url.host} cannot be reached: ${reasonOf(error)}.${unknown}`, {
          facts: { accepted: connected ? 'unknown' : false },
        }),
      );
    });
    request.end(body);
  });
}

/** Addresses of hosts are no secret, paths are. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(ERR_INVALID|ERR_UNESCAPED)/.test(code) ? code : sentenceOf(error);
}

/** What somebody else wrote, short and without control characters. */
function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
