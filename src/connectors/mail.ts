import { createTransport, type Transporter } from 'nodemailer';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** Made from what the mail is about, so that a second copy is recognised as one. */
  readonly messageId: string;
}

/** The mail server. */
export class MailConnector {
  readonly #transport: Transporter;
  readonly #from: string;
  readonly #host: string;

  constructor(settings: Settings['mail']) {
    this.#from = settings.from;
    this.#host = new URL(settings.smtpUrl).host;
    this.#transport = createTransport({ url: settings.smtpUrl, connectionTimeout: 5_000, socketTimeout: 20_000 });
  }

  /** @throws SluiceError `MailUnavailable`; its fact `accepted` is false where the server surely did not take the mail */
  async send(mail: Mail): Promise<void> {
    try {
      await this.#transport.sendMail({ ...mail, to: [...mail.to], from: this.#from });
    } catch (error) {
      const command = typeof error === 'object' && error !== null && 'command' in error ? error.command : undefined;
      throw new SluiceError(
        'MailUnavailable',
        `The mail server at ${this.#host} did not take a mail: ${sentenceOf(error)}.`,
        {
          cause: error,
          // Everything before DATA: no message has been handed over yet.
          facts: { accepted: command === 'CONN' || command === 'AUTH' || command === 'MAIL FROM' ? false : 'unknown' },
        },
      );
    }
  }

  /** Connects and logs in, and sends nothing. @throws SluiceError `MailUnavailable` */
  async verify(): Promise<void> {
    try {
      await this.#transport.verify();
    } catch (error) {
      throw new SluiceError(
        'MailUnavailable',
        `The mail server at ${this.#host} does not answer: ${sentenceOf(error)}.`,
        {
          cause: error,
        },
      );
    }
  }
}
