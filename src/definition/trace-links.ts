import { SluiceError, sentenceOf } from './errors.ts';
import { hasLogin, NO_LOGIN } from './web-ui.ts';

const PLACE = '{traceId}';

/** Where a trace is looked at, or a sentence that says why nobody knows; neither where nobody said where. */
export interface TraceLink {
  /** It begins with http:// or https://. */
  readonly page?: string;
  readonly problem?: string;
}

/** The page of a trace, for a report: an address that is none is said in its place, and takes no report away. @param given `SLUICE_TRACE_URL` */
export function traceLink(given: string | undefined, traceId: string): TraceLink {
  try {
    const page = tracePage(given, traceId);
    return page === undefined ? {} : { page };
  } catch (error) {
    return { problem: sentenceOf(error) };
  }
}

/**
 * The page of a trace, by a template like `http://127.0.0.1:16686/trace/{traceId}`; undefined where none is given.
 * @param given `SLUICE_TRACE_URL`
 * @throws SluiceError `SettingsInvalid` where that is no address of a page, or has a password in it
 */
export function tracePage(given: string | undefined, traceId: string): string | undefined {
  if (given === undefined || given.trim() === '') return undefined;
  if (hasLogin(given)) throw new SluiceError('SettingsInvalid', `SLUICE_TRACE_URL: ${NO_LOGIN}.`);
  const page = given.trim().replaceAll(PLACE, encodeURIComponent(traceId.toWellFormed()));
  if (page !== given.trim() && /^https?:\/\//i.test(page) && URL.canParse(page)) return page;
  const example = `http://127.0.0.1:16686/trace/${PLACE}`;
  throw new SluiceError(
    'SettingsInvalid',
    `SLUICE_TRACE_URL: needs an address with ${PLACE} in it, that begins with http:// or https://, like ${example}.`,
  );
}
