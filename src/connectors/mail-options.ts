import { readFileSync } from 'node:fs';
import { SluiceError } from '../definition/errors.ts';
import { isLoopback } from './loopback.ts';
import type { Settings } from './settings.ts';

/** How TLS is spoken with the mail server where its address is `smtp://`; `smtps://` begins with it. */
export const mailTls = ['required', 'opportunistic', 'off'] as const;
export type MailTls = (typeof mailTls)[number];

export interface MailOptions {
  readonly url: string;
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly requireTLS?: boolean;
  readonly ignoreTLS?: boolean;
  readonly tls?: { readonly ca?: string };
}

/**
 * The transport's options. A password goes over TLS alone, but to this machine: whoever stands between could otherwise take STARTTLS out of
 * the server's greeting and read it.
 * @throws SluiceError `SettingsInvalid`
 */
export function mailOptions({ smtpUrl, user, password, tls, ca }: Settings['mail']): MailOptions {
  const url = new URL(smtpUrl);
  if ((user === undefined) !== (password === undefined)) {
    throw invalid('SLUICE_SMTP_USER and SLUICE_SMTP_PASSWORD belong together: set both, or none.');
  }
  if (user !== undefined && url.username !== '') {
    throw invalid('A user stands in SLUICE_SMTP_URL and in SLUICE_SMTP_USER: leave it out of the address.');
  }
  const secret = user !== undefined || url.password !== '';
  const guarded = secret && !isLoopback(url.hostname);
  if (tls === 'off' && guarded && url.protocol === 'smtp:') {
    throw invalid('A password is not sent to another machine without TLS: leave SLUICE_SMTP_TLS out.');
  }
  const required = tls === 'required' || (tls === undefined && guarded);
  return {
    url: smtpUrl,
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    ...(required ? { requireTLS: true } : {}),
    ...(tls === 'off' ? { ignoreTLS: true } : {}),
    ...(ca === undefined ? {} : { tls: { ca: certificates(ca) } }),
  };
}

function certificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw invalid('SLUICE_SMTP_CA: there is no file to read; give one of certificates in PEM form.');
  }
}

const invalid = (message: string): SluiceError => new SluiceError('SettingsInvalid', message);
