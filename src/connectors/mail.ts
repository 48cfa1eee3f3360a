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

const SILENCE_MS = 20_000;
/** A server that knows no sender yet wants to be asked again some minutes later. */
const LATER_MS = 120_000;

/** How far a mail is: whether the server has been sent a byte of it. */
interface Sending {
  begun: boolean;
}

/** The mail server. */
export class MailConnector {
  readonly #transport: Transporter;
  readonly #from: string;
  readonly #host: string;

  /** @param silenceMs how long the server may say nothing */
  constructor(settings: Settings['mail'], silenceMs = SILENCE_MS) {
    this.#from = settings.from;
    this.#host = new URL(settings.smtpUrl).host;
    this.#transport = createTransport({ url: settings.smtpUrl, connectionTimeout: 5_000, socketTimeout: silenceMs });
    // The message flows once the server has said that it takes one, and not before.
    this.#transport.use('stream', ({ data, message }, done) => {
      const { sending } = data as { sending?: Sending };
      message.processFunc((input) => input.once('resume', () => sending && (sending.begun = true)));
      done();
    });
  }

  /**
   * @throws SluiceError `MailUnavailable`; its fact `accepted` is false where the server surely did not take the mail, its fact `refused` true
   * where it would not take this very mail at any time, its fact `retryAfterMs` is there where it may later
   */
  async send(mail: Mail): Promise<void> {
    const sending: Sending = { begun: false };
    try {
      const { attachments, ...rest } = mail;
      await this.#transport.sendMail({
        ...{ ...rest, sending },
        to: [...mail.to],
        from: this.#from,
        ...(attachments ? { attachments: [...attachments] } : {}),
      });
    } catch (error) {
      const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number };
      // The client itself compares a mail's size with what the server takes: then there is no answer to it.
      const refused = responseCode === undefined ? code === 'EMESSAGE' : responseCode >= 500;
      const reply = responseCode ?? 0;
      // Of a connection that breaks, or is silent, while the message is under way nobody knows; what the server answers to it, it means.
      const surelyNot = !sending.begun || (command === 'DATA' && reply >= 400);
      throw new SluiceError(
        'MailUnavailable',
        `The mail server at ${this.#host} did not take a mail: ${sentenceOf(error)}.`,
        {
          cause: error,
          facts: {
            accepted: surelyNot ? false : 'unknown',
            ...(surelyNot && reply >= 400 && reply < 500 ? { retryAfterMs: LATER_MS } : {}),
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
