import type { Mail, MailConnector, Sent } from '../../connectors/mail.ts';
import { SluiceError } from '../../definition/errors.ts';

/** The run as a page that opens without a server. */
export interface AlertPage {
  readonly filename: string;
  readonly html: string;
}

/** A mail without its texts, which say whether a page is attached. */
export interface MailWithPage extends Omit<Mail, 'text' | 'html' | 'attachments'> {
  readonly text: (attached?: string) => string;
  readonly html?: (attached?: string) => string;
}

/**
 * Sends a mail with the page of a run, and without it where it could not be made or the server takes no mail with it: the news matters more.
 * @param page absent where there is none to attach and nothing to say of it
 * @throws SluiceError `MailUnavailable`
 */
export async function sendWithPage(
  server: MailConnector,
  mail: MailWithPage,
  page?: AlertPage | { readonly missing: string },
): Promise<Sent> {
  const { text, html, ...rest } = mail;
  const send = (attached?: string, attachments?: Mail['attachments']): Promise<Sent> =>
    server.send({
      ...rest,
      text: text(attached),
      ...(html ? { html: html(attached) } : {}),
      ...(attachments ? { attachments } : {}),
    });
  const without = (why: string): Promise<Sent> => send(`The run as a page is not attached: ${why}`);
  if (page === undefined) return send();
  if ('missing' in page) return without(page.missing);
  const { filename } = page;
  try {
    return await send(`Attached is ${filename}, this run as a page that opens without a server.`, [
      { filename, content: page.html, contentType: 'text/html; charset=utf-8' },
    ]);
  } catch (error) {
    // Some take no page, or none of its size.
    if (!(error instanceof SluiceError && error.facts['refused'] === true)) throw error;
    return without('the mail server took no mail with it.');
  }
}
