import type { Settings } from '../../connectors/settings.ts';
import { hostOf } from '../../connectors/secrets.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Source } from '../../definition/source.ts';
import { secretTexts } from '../../definition/source.ts';
import { parseJson, textOf, valueAt } from '../../formats/json-table.ts';
import { shownAddress } from './address.ts';
import { httpFailure, httpRefusal } from './http-failure.ts';
import { sendHttp } from './http-request.ts';

const ANSWER_BYTES = 1024 * 1024;

/**
 * Asks for a token, and gives the header that carries it to `target`.
 * @throws SluiceError `SecretRefused` where what the token was bought with may not go to that host; `Source…`
 */
export async function tokenHeader(
  source: Source,
  target: URL,
  settings: Settings,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { token, limits } = source;
  if (!token) return {};
  const texts = secretTexts(source).flatMap(({ path, text }) => (path[0] === 'token' ? [text] : []));
  const hosts = settings.secrets.commonHosts(texts);
  // Otherwise a definition could buy a token where the secret is at home, and have it sent anywhere.
  if (hosts && !hosts.includes(hostOf(target))) {
    throw new SluiceError(
      'SecretRefused',
      `The token of ${shownAddress(new URL(token.url))} is obtained with a secret that is not bound to ${hostOf(target)}, so it is not sent there; bind the secret to both hosts.`,
    );
  }
  const total = AbortSignal.timeout(limits.seconds * 1_000);
  const asked = { limits, settings, total, signal: AbortSignal.any([signal, total]) };
  const url = new URL(token.url);
  const form = token.form && formOf(token.form, (text) => settings.secrets.reveal(text, url, settings.sourceAllow));
  const body =
    form ??
    (token.body === undefined ? undefined : typeof token.body === 'string' ? token.body : JSON.stringify(token.body));
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const { url: from, response } = await sendHttp({
    ...asked,
    url,
    method: token.method,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...token.headers },
    open: { 'user-agent': 'sluice', accept: 'application/json', connection: 'close' },
    ...(body === undefined ? {} : { body }),
  });
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) {
    response.destroy();
    throw httpRefusal(from, status, response.headers['retry-after']);
  }
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) > ANSWER_BYTES)
        throw new Error('the answer is longer than 1 MiB');
    }
  } catch (error) {
    throw httpFailure(from, error, asked, 'SourceCut');
  } finally {
    response.destroy();
  }
  const where = shownAddress(from);
  const value = textOf(valueAt(answerOf(Buffer.concat(chunks), where), token.field));
  if (value === undefined || value === '' || /[\r\n\0]/.test(value)) {
    throw new SluiceError(
      'SourceMalformed',
      `${where} answers without a token at "${token.field}" (source.token.field).`,
    );
  }
  settings.secrets.conceal(value);
  return { [token.header.toLowerCase()]: token.scheme === '' ? value : `${token.scheme} ${value}` };
}

/** The answer is not quoted: it may hold the token in another place than was thought. */
function answerOf(bytes: Buffer, where: string): unknown {
  try {
    return parseJson(bytes, where);
  } catch {
    throw new SluiceError('SourceMalformed', `${where} was asked for a token, and its answer is not JSON.`);
  }
}

function formOf(form: Readonly<Record<string, string>>, reveal: (text: string) => string): string {
  return new URLSearchParams(
    Object.entries(form).map(([name, text]): [string, string] => [name, reveal(text)]),
  ).toString();
}
