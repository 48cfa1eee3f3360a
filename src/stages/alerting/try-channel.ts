import { reach } from '../../connectors/reach.ts';
import type { Channel, ChannelKind, Delivery } from '../../definition/deliveries.ts';
import { sentenceOf } from '../../definition/errors.ts';
import type { Incident, Notice } from '../../definition/incidents.ts';
import { ids } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';
import { alertMail } from './alert-mail.ts';
import { deliver, type Outbox } from './deliver.ts';
import { messageOf } from './message.ts';
import type { Addresses } from './pointers.ts';
import { slackMessage } from './slack-message.ts';
import { webhookBody } from './webhook-body.ts';

/** What came of a test on one channel. */
export interface ChannelTried {
  readonly channel: string;
  readonly kind: ChannelKind;
  readonly ok: boolean;
  readonly sentence: string;
}

/** What a channel would be sent. */
export interface ChannelPreview {
  readonly channel: string;
  readonly kind: ChannelKind;
  /** For people to read; JSON for Slack and webhooks. */
  readonly shown: string;
}

/** A notice that says of itself that it is a test. @param id of this test @param at ISO 8601 */
export function testNotice(pipeline: string, id: string, at: string, from: string): Notice {
  const sentence = 'Nothing is wrong: "sluice alerts test" has sent this, to see that it comes.';
  const incident: Incident = {
    ...{ pipeline, rule: 'test', id: ids.incident(pipeline, 'test'), severity: 'warning', state: 'open' },
    ...{ openedAt: at, lastSeenAt: at, occurrences: 1, hours: [] },
    ...{ sentence, facts: [{ name: 'Sent from', value: from }] },
  };
  return { id: `test/${id}`, pipeline, transitions: [{ id: `test/${id}/opened`, kind: 'opened', at, incident }] };
}

const deliveryOf = (notice: Notice, { name, kind }: Channel): Delivery => ({
  ...{ id: `${notice.id}/${name}`, channel: kind, name, transitions: notice.transitions.map(({ id }) => id) },
});

/** Sends a test by one channel, as `deliver` sends an alert. */
export async function tryChannel(
  deps: Pick<StageDeps, 'mail' | 'settings'>,
  pipeline: Pipeline,
  channel: Channel,
  notice: Notice,
  addresses: Addresses,
): Promise<ChannelTried> {
  const { name, kind } = channel;
  // It is sent from here, once, and nobody tries it again.
  const outbox: Outbox = {
    ...{ begunBefore: false, begin: async () => {}, over: async () => {}, addresses },
    page: () => Promise.reject(new Error('A test has no run.')),
  };
  try {
    const { accepted, sentence } = await deliver(
      deps,
      { pipeline, delivery: deliveryOf(notice, channel), notice },
      outbox,
    );
    const taken = channel.kind === 'email' ? `The mail server took it for ${channel.to.join(', ')}.` : 'It was taken.';
    return { channel: name, kind, ok: accepted === true && sentence === undefined, sentence: sentence ?? taken };
  } catch (error) {
    return { channel: name, kind, ok: false, sentence: sentenceOf(error) };
  }
}

/** What a channel would be sent; nothing is, and no secret is looked for. */
export function previewOf(channel: Channel, notice: Notice, addresses: Addresses): ChannelPreview {
  const { name, kind } = channel;
  const message = messageOf(notice, deliveryOf(notice, channel).transitions, addresses);
  const shown = ((): string => {
    switch (channel.kind) {
      case 'email': {
        const { to, subject, text } = alertMail(message, channel.to, 'test');
        return `To: ${to.join(', ')}\nSubject: ${subject}\n\n${text()}`;
      }
      case 'slack':
        return JSON.stringify(slackMessage(message), null, 2);
      case 'webhook':
        return JSON.stringify(JSON.parse(webhookBody(message)), null, 2);
    }
  })();
  return { channel: name, kind, shown };
}

/**
 * Looks whether a channel could be used, and sends nothing: its secrets are there, and somebody answers at its address.
 * @throws SluiceError `SecretRefused`, `SlackUnavailable`, `WebhookUnavailable`
 */
export async function verifyChannel({ settings }: Pick<StageDeps, 'settings'>, channel: Channel): Promise<void> {
  if (channel.kind === 'email') return;
  const url = settings.secrets.address(channel.url, settings.alertAllow);
  if (channel.kind === 'webhook') settings.secrets.key(channel.key, url);
  await reach(url, channel.kind === 'slack' ? 'SlackUnavailable' : 'WebhookUnavailable');
}
