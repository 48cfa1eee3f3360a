import { SluiceError, sentenceOf } from '../definition/errors.ts';

const WITHIN_MS = 10_000;

/**
 * Asks for an address, so that whoever is behind it knows that we live. Redirects are not followed: it is for that address alone.
 * @param what it is, for sentences; the address stands in none, but for its host
 * @throws SluiceError `WebhookUnavailable`
 */
export async function ping(url: URL, what: string): Promise<void> {
  let status: number;
  try {
    const answer = await fetch(url, {
      ...{ method: 'GET', redirect: 'manual', headers: { 'user-agent': 'sluice' } },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    await answer.body?.cancel();
    ({ status } = answer);
  } catch (error) {
    throw new SluiceError('WebhookUnavailable', `${what} at ${url.host} cannot be reached: ${reasonOf(error)}.`);
  }
  if (status < 200 || status > 299) {
    const redirected = status >= 300 && status < 400 ? '; redirects are not followed' : '';
    throw new SluiceError('WebhookUnavailable', `${what} at ${url.host} answers ${status}${redirected}.`);
  }
}

/** What fetch itself says is always the same; why, says its cause. Neither has more of the address than its host. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${WITHIN_MS / 1_000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code ?? (cause === undefined ? 'it is no address that can be asked for' : sentenceOf(cause));
}
