import { createHmac } from 'node:crypto';
import { post } from './post.ts';

/** Where a webhook is, and what its messages are signed with. */
export interface WebhookTarget {
  readonly url: URL;
  /** `whsec_` and base64, as Standard Webhooks has it; any other text stands for its own bytes. */
  readonly key: string;
}

export interface WebhookMessage {
  /** The same for each attempt, so that the other side knows a second one. Letters, digits, `_` and `-`. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/**
 * Posts a message that is signed as Standard Webhooks says (www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` (seconds since 1970) and
 * `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
 * @throws SluiceError `WebhookUnavailable` with the facts of `post`; `DeliveryRefused`
 */
export async function postToWebhook(
  { url, key }: WebhookTarget,
  { id, body }: WebhookMessage,
  silenceMs?: number,
): Promise<void> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature(key, `${id}.${timestamp}.${body}`)}`,
  };
  await post({ url, headers, body, what: 'The webhook', code: 'WebhookUnavailable' }, silenceMs);
}

function signature(key: string, content: string): string {
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key);
  return createHmac('sha256', bytes).update(content).digest('base64');
}
