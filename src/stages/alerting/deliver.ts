import { postToSlack } from '../../connectors/slack.ts';
import { postToWebhook } from '../../connectors/webhook.ts';
import { channelsOf, type Channel, type Delivery } from '../../definition/deliveries.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import type { Incident, Notice } from '../../definition/incidents.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageDeps } from '../deps.ts';
import { sha256Hex } from '../hashing.ts';
import { alertMail } from './alert-mail.ts';
import { sendWithPage, type AlertPage } from './mail-with-page.ts';
import { messageOf, type Message } from './message.ts';
import type { Addresses } from './pointers.ts';
import { slackMessage } from './slack-message.ts';
import { webhookBody } from './webhook-body.ts';

export interface DeliverInput {
  readonly pipeline: Pick<Pipeline, 'name' | 'alerts'>;
  readonly delivery: Delivery;
  readonly notice: Notice;
}

/** What became of a message that went out. Of `unknown` the other side may have it; it is never sent again. */
export interface Delivered {
  readonly accepted: true | 'unknown';
  /** Why it is not known, or whom it was not taken for. */
  readonly sentence?: string;
}

/** What a delivery needs of whoever sees to it that it is done once. */
export interface Outbox {
  /** An attempt before this one had begun to send, and nobody heard how it ended. */
  readonly begunBefore: boolean;
  /** Returns once it is kept for good that sending has begun. */
  begin(): Promise<void>;
  /** What began has surely not been delivered. */
  over(): Promise<void>;
  /** The page of a failed run, for a mail. @throws SluiceError where it cannot be made */
  page(incident: Incident): Promise<AlertPage>;
  readonly addresses: Addresses;
}

/**
 * Sends one message. It is sent at most once: an attempt that follows one of unknown end sends nothing.
 * @throws SluiceError only where the message surely was not taken: `MailUnavailable`, `SlackUnavailable`, `WebhookUnavailable` with the fact
 * `retryAfterMs` where the other side said when; `DeliveryRefused`, `SecretRefused` where another try would end alike, on whatever worker
 */
export async function deliver(
  deps: Pick<StageDeps, 'mail' | 'settings'>,
  input: DeliverInput,
  outbox: Outbox,
): Promise<Delivered> {
  const { pipeline, delivery, notice } = input;
  const channel = channelsOf(pipeline.alerts).find(
    ({ name, kind }) => name === delivery.name && kind === delivery.channel,
  );
  if (!channel) {
    throw new SluiceError(
      'DeliveryRefused',
      `The definition of ${pipeline.name} has no channel "${delivery.name}" any more.`,
    );
  }
  if (outbox.begunBefore) {
    return {
      accepted: 'unknown',
      sentence: 'The worker that was sending it has gone; whether it was taken is not known.',
    };
  }
  const message = messageOf(notice, delivery.transitions, outbox.addresses, insteadOf(delivery));
  try {
    const send = await prepared(deps, channel, message, delivery, outbox);
    await outbox.begin();
    const rejected = await send();
    return rejected.length === 0
      ? { accepted: true }
      : { accepted: true, sentence: `The mail server did not take it for ${rejected.join(', ')}.` };
  } catch (error) {
    const failed = withoutSecrets(deps, error);
    if (failed instanceof SluiceError && failed.facts['accepted'] === 'unknown') {
      return { accepted: 'unknown', sentence: failed.message };
    }
    await outbox.over();
    throw elsewhere(failed, channel);
  }
}

const insteadOf = ({ insteadOf: name }: Delivery): string | undefined =>
  name === undefined ? undefined : `This was to come by the channel "${name}", which did not take it.`;

/** The same for each attempt, and no other message's: for header fields. */
export const messageKey = (pipeline: string, { id }: Delivery): string => sha256Hex(`${pipeline}\n${id}`).slice(0, 32);

/** All that may fail before a byte goes out, and then what sends. */
async function prepared(
  { mail, settings }: Pick<StageDeps, 'mail' | 'settings'>,
  channel: Channel,
  message: Message,
  delivery: Delivery,
  outbox: Outbox,
): Promise<() => Promise<readonly string[]>> {
  const { secrets, alertAllow } = settings;
  const key = messageKey(message.pipeline, delivery);
  switch (channel.kind) {
    case 'email': {
      const page = await pageFor(message, outbox);
      return async () =>
        (await sendWithPage(mail, alertMail(message, channel.to, key), page).catch(refusedForGood)).rejected;
    }
    case 'slack': {
      const url = secrets.address(channel.url, alertAllow);
      return async () => (await postToSlack(url, slackMessage(message)), []);
    }
    case 'webhook': {
      const url = secrets.address(channel.url, alertAllow);
      const target = { url, key: secrets.key(channel.key, url) };
      return async () => (await postToWebhook(target, { id: `msg_${key}`, body: webhookBody(message) }), []);
    }
  }
}

/** Of the first run that failed; one mail has one page. */
async function pageFor(message: Message, outbox: Outbox): Promise<AlertPage | { missing: string } | undefined> {
  const failed = message.items.find(({ kind, incident }) => kind === 'opened' && incident.rule === 'run-failed');
  if (!failed?.incident.runId) return undefined;
  return outbox.page(failed.incident).catch((error: unknown) => ({ missing: sentenceOf(error) }));
}

/** A server that says no for good says so at each try: what can come by another way is not to wait for that. */
function refusedForGood(error: unknown): never {
  if (!(error instanceof SluiceError) || error.facts['permanent'] !== true) throw error;
  throw new SluiceError('DeliveryRefused', error.message, { facts: { accepted: false } });
}

/** What this worker has no secret for, another of the same queue may send: each has the environment of its own place. */
function elsewhere(error: unknown, { kind }: Channel): unknown {
  if (!(error instanceof SluiceError) || error.facts['missing'] !== true) return error;
  const code = kind === 'slack' ? 'SlackUnavailable' : 'WebhookUnavailable';
  return new SluiceError(code, error.message, { facts: { accepted: false } });
}

function withoutSecrets({ settings }: Pick<StageDeps, 'settings'>, error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error;
  return new SluiceError(error.code, settings.secrets.redacted(error.message), { facts: { ...error.facts } });
}
