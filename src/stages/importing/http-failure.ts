import { waitOf } from '../../connectors/retry-after.ts';
import { SluiceError, sentenceOf, type ErrorCode } from '../../definition/errors.ts';
import type { Source } from '../../definition/source.ts';
import { shownAddress } from './address.ts';

interface Asked {
  readonly limits: Source['limits'];
  readonly signal: AbortSignal;
  readonly total: AbortSignal;
}

const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_CERT|UNABLE_TO_(?:GET|VERIFY)|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA)/;
const PROTOCOL = /^(?:EPROTO|ERR_SSL)/;

/** What a failed request is in our words. A cancellation stays what it is. */
export function httpFailure(url: URL, error: unknown, asked: Asked, code: ErrorCode, where = ''): unknown {
  if (error instanceof SluiceError) return error;
  const at = `${shownAddress(url)}${where === '' ? '' : ` ${where}`}`;
  if (asked.total.aborted) {
    const { seconds } = asked.limits;
    return new SluiceError('SourceTooSlow', `${at}: not through after ${seconds} s (source.limits.seconds).`, {
      cause: error,
    });
  }
  if (asked.signal.aborted) return asked.signal.reason;
  const name = error instanceof Error && 'code' in error ? String(error.code) : '';
  const said = sentenceOf(error);
  if (CERTIFICATE.test(name)) {
    return new SluiceError(
      'SourceCertificate',
      `${at}: the certificate is not valid (${said}); correct the address, or have the source's certificate put right.`,
      { cause: error },
    );
  }
  if (PROTOCOL.test(name)) {
    return new SluiceError(
      'SourceCertificate',
      `${at} does not speak TLS as expected (${name}); is it an http:// address?`,
      {
        cause: error,
      },
    );
  }
  if (name === 'STALLED') return new SluiceError('SourceStalled', `${at} stalled: ${said}.`, { cause: error });
  if (name === 'ENOTFOUND') {
    return new SluiceError('SourceUnavailable', `${at}: the name ${url.hostname} is not known (ENOTFOUND).`, {
      cause: error,
    });
  }
  return new SluiceError(code, `${at} failed: ${said}.`, { cause: error });
}

/** What an answer means that is not the file. `Retry-After` goes along in the facts, in milliseconds. */
export function httpRefusal(url: URL, status: number, retryAfter: string | undefined): SluiceError {
  const said = `${shownAddress(url)} answers ${status}`;
  if (status === 404 || status === 410) {
    return new SluiceError('SourceNotFound', `${said}: there is no such file; correct source.url.`);
  }
  if (status === 401 || status === 403) {
    return new SluiceError(
      'SourceForbidden',
      `${said}: it may not be read without permission; put a \${secret:NAME} into source.headers.`,
    );
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const wait = waitOf(retryAfter, Date.now());
    const asks = wait === undefined ? '' : ` and asks to be left alone for ${Math.ceil(wait / 1_000)} s`;
    return new SluiceError(
      'SourceUnavailable',
      `${said}${asks}.`,
      wait === undefined ? {} : { facts: { retryAfterMs: wait } },
    );
  }
  return new SluiceError('SourceNotFound', `${said}, where 200 was expected; correct source.url or source.headers.`);
}
