import { createTransport, type Transporter } from 'nodemailer';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { mailOptions } from './mail-options.ts';
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
  /** Message ids of the threads that it belongs to. Nobody needs to have had those messages: what names the same ones is filed together. */
  readonly references?: readonly string[];
  /** Which of them it goes on with. */
  readonly inReplyTo?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly urgent?: boolean;
}

const SILENCE_MS = 20_000;
/** A server that knows no sender yet wants to be asked again some minutes later. */
const LATER_MS = 120_000;
/** RFC 4954: it wants a login first. */
const LOGIN_WANTED = 530;

/** What became of a mail that the server took. */
export interface Sent {
  /** Recipients that it did not take it for. */
  readonly rejected: readonly string[];
}

/** How far a mail is: whether the server has been sent a byte of it. */
interface Sending {
  begun: boolean;
}

/** The mail server. */
export class MailConnector {
  readonly #transport: Transporter;
  readonly #from: string;
  readonly #host: string;
  readonly #secrets: readonly string[];
  readonly #hasLogin: boolean;

  /** @param silenceMs how long the server may say nothing */
  constructor(settings: Settings['mail'], silenceMs = SILENCE_MS) {
    this.#from = settings.from;
    this.#host = new URL(settings.smtpUrl).host;
    const { password } = settings;
    const { username, password: inUrl } = new URL(settings.smtpUrl);
    this.#hasLogin = settings.user !== undefined || username !== '';
    this.#secrets = [password ?? '', inUrl, decodeURIComponent(inUrl)].filter((secret) => secret.length > 3);
    this.#transport = createTransport({
      ...mailOptions(settings),
      ...{ connectionTimeout: 5_000, greetingTimeout: silenceMs, socketTimeout: silenceMs },
      // What is told may come from anywhere: nothing of it is taken for a path or an address to read from.
      ...{ disableFileAccess: true, disableUrlAccess: true },
    });
    // The message flows once the server has said that it takes one, and not before.
    this.#transport.use('stream', ({ data, message }, done) => {
      const { sending } = data as { sending?: Sending };
      message.processFunc((input) => input.once('resume', () => sending && (sending.begun = true)));
      done();
    });
  }

  /**
   * @throws SluiceError `MailUnavailable`; its fact `accepted` is false where the server surely did not take the mail, its fact `refused` true
   * where it would not take this very mail at any time, `permanent` true where it answered so to whatever was said, and not for want of a login that
   * another process may have; its fact `retryAfterMs` is there where it may take it later
   */
  async send(mail: Mail): Promise<Sent> {
    const sending: Sending = { begun: false };
    try {
      const { attachments, references, headers, urgent, ...rest } = mail;
      const { rejected } = (await this.#transport.sendMail({
        ...{ ...rest, sending },
        to: [...mail.to],
        from: this.#from,
        ...(references ? { references: [...references] } : {}),
        ...(headers ? { headers: { ...headers } } : {}),
        ...(urgent ? { priority: 'high' as const } : {}),
        ...(attachments ? { attachments: [...attachments] } : {}),
      })) as { rejected?: readonly (string | { address: string })[] };
      return { rejected: (rejected ?? []).map((one) => (typeof one === 'string' ? one : one.address)) };
    } catch (error) {
      const { code, command, responseCode } = error as { code?: string; command?: string; responseCode?: number };
      // The client itself compares a mail's size with what the server takes: then there is no answer to it.
      const refused = responseCode === undefined ? code === 'EMESSAGE' : responseCode >= 500;
      const reply = responseCode ?? 0;
      // Of a connection that breaks, or is silent, while the message is under way nobody knows; what the server answers to it, it means.
      const surelyNot = !sending.begun || (command === 'DATA' && reply >= 400);
      const lacksLogin = reply === LOGIN_WANTED && !this.#hasLogin;
      const remedy = lacksLogin
        ? ' This worker has no login for it: set SLUICE_SMTP_USER and SLUICE_SMTP_PASSWORD, as the other workers may have them.'
        : '';
      throw new SluiceError(
        'MailUnavailable',
        `The mail server at ${this.#host} did not take a mail: ${this.#reason(error)}.${remedy}`,
        {
          cause: error,
          facts: {
            accepted: surelyNot ? false : 'unknown',
            ...(surelyNot && reply >= 400 && reply < 500 ? { retryAfterMs: LATER_MS } : {}),
            permanent: surelyNot && reply >= 500 && !lacksLogin,
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
        `The mail server at ${this.#host} does not answer: ${this.#reason(error)}.`,
        {
          cause: error,
        },
      );
    }
  }

  #reason(error: unknown): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '***'), sentenceOf(error));
  }
}
