import { SluiceError } from './errors.ts';
import { hasLogin, NO_LOGIN } from './web-ui.ts';

const PLACE = '{traceId}';

/**
 * The page of a trace, by a template like `http://127.0.0.1:16686/trace/{traceId}`; undefined where none is given.
 * @param given `SLUICE_TRACE_URL`
 * @throws SluiceError `SettingsInvalid` where that is no address of a page, or has a password in it
 */
export function tracePage(given: string | undefined, traceId: string): string | undefined {
  if (given === undefined || given.trim() === '') return undefined;
  if (hasLogin(given)) throw new SluiceError('SettingsInvalid', `SLUICE_TRACE_URL: ${NO_LOGIN}.`);
  const page = given.trim().replaceAll(PLACE, traceId);
  if (page !== given.trim() && /^https?:\/\//i.test(page) && URL.canParse(page)) return page;
  const example = `http://127.0.0.1:16686/trace/${PLACE}`;
  throw new SluiceError(
    'SettingsInvalid',
    `SLUICE_TRACE_URL: needs an address with ${PLACE} in it, that begins with http:// or https://, like ${example}.`,
  );
}
