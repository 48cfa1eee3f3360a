import type { Incident } from '../../definition/incidents.ts';
import { sha256Hex } from '../hashing.ts';
import { mailHtml } from './mail-html.ts';
import { mailText } from './mail-text.ts';
import type { MailWithPage } from './mail-with-page.ts';
import type { Message } from './message.ts';
import { shortened } from './wording.ts';

/** A mail that names more threads is filed under the first of them. */
const MOST_THREADS = 20;

/** The message as a mail. Mails of one incident are a thread: each names the same message, which nobody ever had. @param key for its Message-ID */
export function alertMail(message: Message, to: readonly string[], key: string): MailWithPage {
  const { items, pipeline, severity } = message;
  const threads = [...new Set(items.map(({ incident }) => threadOf(incident)))].slice(0, MOST_THREADS);
  const goesOn = items.find(({ kind }) => kind !== 'opened');
  return {
    ...{ to, subject: message.subject, messageId: `<${key}@sluice>`, references: threads },
    ...(goesOn ? { inReplyTo: threadOf(goesOn.incident) } : {}),
    urgent: severity === 'critical',
    headers: {
      // RFC 3834: nobody's machine answers to it. The second is Exchange's own word for that.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      // RFC 2919, for filters.
      'List-Id': `Sluice alerts of ${pipeline} <${pipeline}.alerts.sluice.localhost>`,
      'X-Sluice-Pipeline': pipeline,
      'X-Sluice-Severity': severity ?? 'over',
      'X-Sluice-Transitions': [...new Set(items.map(({ kind }) => kind))].join(', '),
      'X-Sluice-Incidents': shortened(items.map(({ incident }) => incident.id).join(', '), 900),
    },
    text: (attached) => mailText(message, attached),
    html: (attached) => mailHtml(message, attached),
  };
}

/** Of one incident: the next one of the same problem begins a thread of its own. */
function threadOf({ id, openedAt }: Incident): string {
  return `<${sha256Hex(`${id}\n${openedAt}`).slice(0, 32)}.incident@sluice>`;
}
