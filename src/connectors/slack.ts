import { post } from './post.ts';

/** Of a message with blocks `text` is what notifications and screen readers have. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Posts a message to an incoming webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Slack asks for one message a
 * second at most, and says by 429 and `Retry-After` when it was too many.
 * @throws SluiceError `SlackUnavailable` with the facts of `post`; `DeliveryRefused` where the webhook is gone or the message is none
 */
export async function postToSlack(url: URL, message: SlackMessage, silenceMs?: number): Promise<void> {
  // Links of a message are for people, and Slack would ask each for a preview.
  const body = JSON.stringify({ ...message, unfurl_links: false, unfurl_media: false });
  await post({ url, body, what: 'Slack', code: 'SlackUnavailable' }, silenceMs);
}
