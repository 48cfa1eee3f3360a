import { SluiceError } from './errors.ts';

/** The page of a run in Temporal's Web UI. @param ui where that is, with or without a slash at its end @param runId the newest run where left out */
export function webUiPage(ui: string, namespace: string, workflowId: string, runId?: string): string {
  const page = `${ui.replace(/\/+$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  return runId === undefined ? page : `${page}/${runId}`;
}

/**
 * Where the Web UI is: as the environment says; that of a Temporal at its usual place on this machine is known without.
 * @param given `SLUICE_TEMPORAL_UI_URL`; host:port alone is http @param address host:port of Temporal, where that is known
 * @throws SluiceError `SettingsInvalid` where what is given is no address of a page, or has a password in it
 */
export function webUiOf(given: string | undefined, address?: string): string | undefined {
  if (given === undefined || given === '') {
    return /^(127\.0\.0\.1|localhost):7233$/.test(address ?? '') ? 'http://127.0.0.1:8233' : undefined;
  }
  if (hasLogin(given)) throw new SluiceError('SettingsInvalid', `SLUICE_TEMPORAL_UI_URL: ${NO_LOGIN}.`);
  const url = addressOf(given);
  if (url && /^https?:$/.test(url.protocol)) return withScheme(given);
  throw new SluiceError(
    'SettingsInvalid',
    'SLUICE_TEMPORAL_UI_URL: needs an address that begins with http:// or https://.',
  );
}

/** Links stand in mails and pages. */
export const NO_LOGIN = 'needs an address alone, without a user or a password, as links begin with it';

/** Whether an address has a user or a password in it; also where it is none by its other parts. */
export function hasLogin(given: string): boolean {
  const url = addressOf(given);
  return Boolean(url?.username || url?.password) || /^(?:[a-z][a-z\d+.-]*:)?(?:\/\/)?[^/?#]*@/i.test(given);
}

/** `temporal:8233` is no scheme with a path. */
function withScheme(given: string): string {
  const text = given.trim();
  return /^[a-z][a-z\d+.-]*:(\/\/|(?!\d))/i.test(text) ? text : `http://${text}`;
}

const addressOf = (given: string): URL | null => URL.parse(withScheme(given));
