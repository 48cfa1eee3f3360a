import { createTransport, type Transporter } from 'nodemailer';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly content: string;
    readonly contentType: string;
  }[];
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

  /**
   * @throws SluiceError `MailUnavailable`; its fact `accepted` is false where the server surely did not take the mail, its fact `refused` true
   * where it would not take this very mail at any time
   */
  async send(mail: Mail): Promise<void> {
    try {
      const { attachments, ...rest } = mail;
      await this.#transport.sendMail({
        ...rest,
        to: [...mail.to],
        from: this.#from,
        ...(attachments ? { attachments: [...attachments] } : {}),
      });
    } catch (error) {
      const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number };
      // The client itself compares a mail's size with what the server takes: then there is no answer to it.
      const refused = responseCode === undefined ? code === 'EMESSAGE' : responseCode >= 500;
      throw new SluiceError(
        'MailUnavailable',
        `The mail server at ${this.#host} did not take a mail: ${sentenceOf(error)}.`,
        {
          cause: error,
          facts: {
            // Everything before DATA: no message has been handed over yet.
            accepted: command === 'CONN' || command === 'AUTH' || command === 'MAIL FROM' ? false : 'unknown',
            refused: (command === 'DATA' || command === 'MAIL FROM') && refused,
          },
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
