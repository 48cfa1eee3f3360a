import type { Message } from './message.ts';

/**
 * What a webhook gets, as JSON. A later attempt may say that a problem was seen more often by then. `incidents[].transition` is one of opened,
 * reminder, escalated, recovered and closed; `incident` is as `src/definition/incidents.ts` has it.
 */
export function webhookBody(message: Message): string {
  return JSON.stringify({
    type: 'sluice.alert',
    version: 1,
    pipeline: message.pipeline,
    severity: message.severity ?? null,
    subject: message.subject,
    text: message.lead,
    ...(message.instead === undefined ? {} : { instead: message.instead }),
    incidents: message.items.map(({ kind, transition, at, title, sentence, incident, links, todo }) => ({
      ...{ transition: kind, id: transition, at, title, sentence, incident, links, commands: todo },
    })),
  });
}
