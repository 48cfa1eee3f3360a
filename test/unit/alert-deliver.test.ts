import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MailConnector } from '../../src/connectors/mail.ts';
import { readSettings, type Settings } from '../../src/connectors/settings.ts';
import { postToSlack } from '../../src/connectors/slack.ts';
import { postToWebhook } from '../../src/connectors/webhook.ts';
import { alertsSchema } from '../../src/definition/alerts.ts';
import { planDeliveries, type Delivery } from '../../src/definition/deliveries.ts';
import type { Notice } from '../../src/definition/incidents.ts';
import { deliver, type Delivered, type Outbox } from '../../src/stages/alerting/deliver.ts';
import { verifyChannel } from '../../src/stages/alerting/try-channel.ts';
import { HttpServers } from '../helpers/http-server.ts';
import { MailServers, type MailManners } from '../helpers/mail-server.ts';
import { noticeOf, transition } from '../helpers/notices.ts';

const web = new HttpServers();
const mails = new MailServers();
afterEach(() => {
  web.close();
  mails.close();
});

const KEY = 'a-key-that-is-long-enough';
const slackAlerts = { slack: { url: '${secret:SLACK}' } };
const webhookAlerts = { webhook: { url: '${secret:HOOK}', key: '${secret:KEY}' } };
const emailAlerts = { email: { to: ['a@example.org', 'b@example.org'] } };

const settingsOf = (environment: Record<string, string>): Settings => readSettings(environment);

/** An outbox of one attempt, which says what was asked of it. */
function outbox(changes: Partial<Outbox> = {}): Outbox & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    begunBefore: false,
    begin: async () => void calls.push('begin'),
    over: async () => void calls.push('over'),
    page: async () => (calls.push('page'), { filename: 'p.html', html: '<!doctype html><title>p</title>' }),
    addresses: { namespace: 'default' },
    ...changes,
  };
}

interface Told {
  readonly result?: Delivered;
  readonly error?: { readonly code: string; readonly message: string; readonly facts: object };
  readonly calls: readonly string[];
}

async function tell(
  alerts: unknown,
  environment: Record<string, string>,
  {
    notice = noticeOf(transition()),
    box = outbox(),
    silenceMs = 300,
  }: { notice?: Notice; box?: ReturnType<typeof outbox>; silenceMs?: number } = {},
): Promise<Told> {
  const settings = settingsOf(environment);
  const pipeline = { name: 'p', alerts: alertsSchema.parse(alerts) };
  const [delivery] = planDeliveries(pipeline.alerts, notice, '2026-11-24T03:07:00Z');
  if (!delivery) throw new Error('There is nothing to deliver.');
  const mail = new MailConnector(settings.mail, silenceMs);
  try {
    return { result: await deliver({ settings, mail }, { pipeline, delivery, notice }, box), calls: box.calls };
  } catch (error) {
    return { error: error as NonNullable<Told['error']>, calls: box.calls };
  }
}

describe('Slack', () => {
  it('gets the message as blocks, once sending is kept', async () => {
    const { url, taken } = await web.open();
    const { result, calls } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: `${url}/services/T0/B0/secretpart` });
    expect({ result, calls }).toEqual({ result: { accepted: true }, calls: ['begin'] });
    expect(taken).toMatchObject([
      { path: '/services/T0/B0/secretpart', headers: { 'content-type': 'application/json; charset=utf-8' } },
    ]);
    expect(JSON.parse(taken[0]?.body ?? '')).toMatchObject({
      text: '🔴 p: a run failed. It is broken.',
      blocks: [{ type: 'header' }, { type: 'section' }, { type: 'section' }, { type: 'section' }],
      unfurl_links: false,
    });
  });

  it.each<[number, Record<string, string>, string, object]>([
    [429, { 'retry-after': '30' }, 'SlackUnavailable', { accepted: false, retryAfterMs: 30_000 }],
    [503, {}, 'SlackUnavailable', { accepted: false }],
    [500, {}, 'SlackUnavailable', { accepted: false }],
    [404, {}, 'DeliveryRefused', { accepted: false }],
    [400, {}, 'DeliveryRefused', { accepted: false }],
    [302, { location: 'http://127.0.0.1:1/' }, 'DeliveryRefused', { accepted: false }],
  ])('that answers %i has not taken it', async (status, headers, code, facts) => {
    const { url, taken } = await web.open((response) => response.writeHead(status, headers).end('no_service'));
    const { error, calls } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: `${url}/services/T0/B0/secretpart` });
    expect(error).toMatchObject({ code, facts });
    expect(error?.message).toContain(`answers ${status} (no_service)`);
    expect(error?.message).not.toContain('secretpart');
    expect({ calls, requests: taken.length }).toEqual({ calls: ['begin', 'over'], requests: 1 });
  });

  it.each([502, 504, 520, 524, 598, 599])(
    'behind a gateway that answers %i may have it, and is not sent it again',
    async (status) => {
      const { url } = await web.open((response) => response.writeHead(status).end());
      const { result, calls } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: url });
      expect(result).toEqual({ accepted: 'unknown', sentence: expect.stringContaining(`answers ${status}`) as string });
      expect(calls).toEqual(['begin']);
    },
  );

  it('that hangs up without an answer may have it', async () => {
    const { url, taken } = await web.open((response) => response.socket?.destroy());
    const { result } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: url });
    expect(result?.accepted).toBe('unknown');
    expect(result?.sentence).not.toContain(new URL(url).pathname.slice(1) || 'nothing');
    expect(taken).toHaveLength(1);
  });

  it('that says nothing may have it', async () => {
    const { url } = await web.open(() => {});
    await expect(postToSlack(new URL(url), { text: 'x', blocks: [] }, 200)).rejects.toMatchObject({
      ...{ code: 'SlackUnavailable', facts: { accepted: 'unknown' } },
    });
  }, 15_000);

  it('that has answered has taken it, though the answer is cut', async () => {
    const { url } = await web.open((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('o', () => response.socket?.destroy());
    });
    expect((await tell(slackAlerts, { SLUICE_SECRET_SLACK: url })).result).toEqual({ accepted: true });
  });

  it('that is not there has not taken it', async () => {
    const { url } = await web.open();
    web.close();
    const { error, calls } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: `${url}/services/secretpart-of-it` });
    expect(error).toMatchObject({ code: 'SlackUnavailable', facts: { accepted: false } });
    expect(error?.message).not.toContain('secretpart');
    expect(calls).toEqual(['begin', 'over']);
  });

  it('whose TLS is none has not taken it', async () => {
    const { url } = await web.open();
    const { error } = await tell(slackAlerts, { SLUICE_SECRET_SLACK: url.replace('http:', 'https:') });
    expect(error).toMatchObject({ code: 'SlackUnavailable', facts: { accepted: false } });
  });
});

describe('a secret', () => {
  it.each<[string, Record<string, string>, string]>([
    ['is no address', { SLUICE_SECRET_SLACK: 'xoxb-not-an-address' }, 'The secret SLACK is no address'],
    ['is a file', { SLUICE_SECRET_SLACK: 'file:///etc/passwd' }, 'The secret SLACK is no address'],
    [
      'goes without TLS',
      { SLUICE_SECRET_SLACK: 'http://hooks.example.org/x' },
      'add hooks.example.org:80 to SLUICE_ALERT_ALLOW',
    ],
    [
      'is bound elsewhere',
      { SLUICE_SECRET_SLACK: 'https://hooks.example.org/x', SLUICE_SECRET_SLACK_HOSTS: 'other.example.org' },
      'is not bound to hooks.example.org:443',
    ],
  ])('that %s is refused before anything is sent', async (_, environment, sentence) => {
    const { error, calls } = await tell(slackAlerts, environment);
    expect(error).toMatchObject({ code: 'SecretRefused', message: expect.stringContaining(sentence) as string });
    expect(error?.message).not.toMatch(/xoxb|passwd/);
    expect(calls).toEqual(['over']);
  });

  it.each<[string, object, Record<string, string>, string]>([
    ['SLACK', slackAlerts, {}, 'SlackUnavailable'],
    ['HOOK', webhookAlerts, {}, 'WebhookUnavailable'],
    ['KEY', webhookAlerts, { SLUICE_SECRET_HOOK: 'https://example.org' }, 'WebhookUnavailable'],
  ])('%s that this worker has not is left to a worker that has it', async (name, alerts, environment, code) => {
    const { error, calls } = await tell(alerts, environment);
    expect(error).toMatchObject({ code, facts: { accepted: false } });
    expect(error?.message).toContain(`This worker has no secret "${name}": set SLUICE_SECRET_${name}`);
    expect(calls).toEqual(['over']);
  });

  it('that is too short to sign with is refused', async () => {
    const { error } = await tell(webhookAlerts, {
      SLUICE_SECRET_HOOK: 'https://example.org',
      SLUICE_SECRET_KEY: 'short',
    });
    expect(error).toMatchObject({
      code: 'SecretRefused',
      message: expect.stringContaining('too short to sign with') as string,
    });
  });
});

describe('a webhook', () => {
  it('gets the incident as JSON, signed, under the same id at each attempt', async () => {
    const { url, taken } = await web.open();
    const environment = { SLUICE_SECRET_HOOK: `${url}/hook`, SLUICE_SECRET_KEY: KEY };
    await tell(webhookAlerts, environment);
    await tell(webhookAlerts, environment);
    const [first, second] = taken;
    expect(first?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
    expect({ id: second?.headers['webhook-id'], body: second?.body }).toEqual({
      id: first?.headers['webhook-id'],
      body: first?.body,
    });
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signed } = first?.headers ?? {};
    const expected = createHmac('sha256', KEY)
      .update(`${String(id)}.${String(at)}.${first?.body}`)
      .digest('base64');
    expect(signed).toBe(`v1,${expected}`);
    expect(Math.abs(Number(at) - Date.now() / 1_000)).toBeLessThan(60);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      ...{ type: 'sluice.alert', pipeline: 'p', severity: 'critical', text: 'p: a run failed. It is broken.' },
      incidents: [{ transition: 'opened', id: 't', incident: { rule: 'run-failed' } }],
    });
  });

  it('takes a key as Standard Webhooks writes it', async () => {
    const { url, taken } = await web.open();
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef');
    await postToWebhook({ url: new URL(url), key: `whsec_${bytes.toString('base64')}` }, { id: 'msg_1', body: '{}' });
    const { 'webhook-timestamp': at, 'webhook-signature': signed } = taken[0]?.headers ?? {};
    expect(signed).toBe(
      `v1,${createHmac('sha256', bytes)
        .update(`msg_1.${String(at)}.{}`)
        .digest('base64')}`,
    );
  });
});

describe('a mail', () => {
  const send = async (manners: MailManners, options: Parameters<typeof tell>[2] = {}) => {
    const { url, taken } = await mails.open(manners);
    return { ...(await tell(emailAlerts, { SLUICE_SMTP_URL: url }, options)), taken };
  };
  const run = noticeOf(transition({ runId: 'r', hours: ['2026-11-24T03:00:00Z'] }));

  it('has both parts, its thread and what machines should know, and the page of a failed run', async () => {
    const { result, taken, calls } = await send({}, { notice: run });
    expect({ result, calls }).toEqual({ result: { accepted: true }, calls: ['page', 'begin'] });
    const [mail = ''] = taken;
    for (const line of [
      /^Subject: Sluice: p: a run failed\r$/m,
      /^Message-ID: <[0-9a-f]{32}@sluice>\r$/im,
      /^References: <[0-9a-f]{32}\.incident@sluice>\r$/m,
      /^Auto-Submitted: auto-generated\r$/m,
      /^List-Id: Sluice alerts of p <p\.alerts\.sluice\.localhost>\r$/im,
      /^Importance: High\r$/m,
      /^Content-Type: text\/plain/m,
      /^Content-Type: text\/html/m,
      /^Content-Disposition: attachment; filename=p\.html\r$/m,
    ]) {
      expect(mail).toMatch(line);
    }
    expect(mail).not.toMatch(/^In-Reply-To/m);
  });

  it('comes without the page where that cannot be made, and says why', async () => {
    const { taken } = await send(
      {},
      { notice: run, box: outbox({ page: () => Promise.reject(new Error('No ink.')) }) },
    );
    expect(taken[0]).toContain('The run as a page is not attached: No ink.');
  });

  it('comes without the page where the server takes none', async () => {
    const refuses = (message: string) => (message.includes('attachment') ? '552 no attachments here' : undefined);
    const { result, taken } = await send({ refuses }, { notice: run });
    expect(result).toEqual({ accepted: true });
    expect(taken).toHaveLength(1);
  });

  it('has a line end nowhere that somebody else wrote one', async () => {
    const nasty = transition({ subject: 'x\r\nBcc: victim@example.org', sentence: 'a\r\nBcc: victim@example.org' });
    const { taken } = await send({}, { notice: noticeOf(nasty) });
    const [head = ''] = (taken[0] ?? '').split('\r\n\r\n');
    expect(head).not.toMatch(/^Bcc/im);
  });

  it.each<[string, MailManners, string, object]>([
    [
      'later',
      { answers: (text) => (text.startsWith('RCPT') ? '450 greylisted' : undefined) },
      'MailUnavailable',
      { accepted: false, retryAfterMs: 120_000 },
    ],
    ['never', { refuses: () => '554 no' }, 'DeliveryRefused', { accepted: false }],
    [
      'that nobody is here',
      { answers: (text) => (text.startsWith('RCPT') ? '550 nobody' : undefined) },
      'DeliveryRefused',
      { accepted: false },
    ],
    [
      'nothing any more, before the message',
      { breaks: { how: 'closes', at: 'DATA' } },
      'MailUnavailable',
      { accepted: false },
    ],
  ])('to a server that says %s has not come', async (_, manners, code, facts) => {
    const { error, calls } = await send(manners);
    expect(error).toMatchObject({ code, facts });
    expect(calls).toEqual(['begin', 'over']);
  });

  it.each<[Record<string, string>, string, RegExp]>([
    [{}, 'MailUnavailable', /This worker has no login for it: set SLUICE_SMTP_USER/],
    [{ SLUICE_SMTP_USER: 'me', SLUICE_SMTP_PASSWORD: 'hunter22' }, 'DeliveryRefused', /535 wrong\.$/],
  ])('to a server that wants a login is left to a worker that has one: %j', async (login, code, sentence) => {
    const answers = (text: string): string | undefined => {
      if (text.startsWith('EHLO')) return '250-here\r\n250 AUTH PLAIN';
      if (text.startsWith('AUTH')) return '535 wrong';
      return text.startsWith('MAIL') ? '530 5.7.0 Authentication required' : undefined;
    };
    const { url } = await mails.open({ answers });
    const { error, calls } = await tell(emailAlerts, { SLUICE_SMTP_URL: url, ...login });
    expect(error).toMatchObject({ code, facts: { accepted: false } });
    expect(error?.message).toMatch(sentence);
    expect(calls).toEqual(['begin', 'over']);
  });

  it.each(['closes', 'resets', 'is silent'] as const)(
    'that a server %s after may have come, and is not sent again',
    async (how) => {
      const { result, calls } = await send({ breaks: { how, at: 'the message' } });
      expect(result?.accepted).toBe('unknown');
      expect(calls).toEqual(['begin']);
    },
  );

  it('that was taken for some says for whom not', async () => {
    const answers = (text: string) => (text.startsWith('RCPT TO:<b@') ? '550 nobody' : undefined);
    expect((await send({ answers })).result).toEqual({
      accepted: true,
      sentence: 'The mail server did not take it for b@example.org.',
    });
  });

  it.each<[Record<string, string>, string]>([
    [
      { SLUICE_SMTP_URL: 'smtp://mail.example.org', SLUICE_SMTP_USER: 'a' },
      'SLUICE_SMTP_USER and SLUICE_SMTP_PASSWORD belong together',
    ],
    [
      { SLUICE_SMTP_URL: 'smtp://a:b@mail.example.org', SLUICE_SMTP_USER: 'a', SLUICE_SMTP_PASSWORD: 'b' },
      'leave it out of the address',
    ],
    [
      { SLUICE_SMTP_URL: 'smtp://a:b@mail.example.org', SLUICE_SMTP_TLS: 'off' },
      'not sent to another machine without TLS',
    ],
    [{ SLUICE_SMTP_CA: '/no/such/file' }, 'SLUICE_SMTP_CA: there is no file to read'],
  ])('has settings that make sense: %j', (environment, sentence) => {
    expect(() => new MailConnector(settingsOf(environment).mail)).toThrow(sentence);
  });

  it('sends no password to a server that has lost its STARTTLS on the way', async () => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.write('220 here\r\n');
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString());
        socket.write(chunk.toString().startsWith('EHLO') ? '250-here\r\n250 AUTH PLAIN LOGIN\r\n' : '500 what\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const settings = settingsOf({
      SLUICE_SMTP_URL: `smtp://127.0.0.1:${port}`,
      SLUICE_SMTP_USER: 'me',
      SLUICE_SMTP_PASSWORD: 'hunter22',
      SLUICE_SMTP_TLS: 'required',
    });
    const failed = new MailConnector(settings.mail, 500).verify();
    await expect(failed).rejects.toMatchObject({ code: 'MailUnavailable' });
    expect(heard.join('')).not.toContain('AUTH');
    server.close();
  });
});

describe('a delivery', () => {
  it('whose attempt before had begun is not begun again', async () => {
    const { url, taken } = await web.open();
    const { result, calls } = await tell(
      slackAlerts,
      { SLUICE_SECRET_SLACK: url },
      { box: outbox({ begunBefore: true }) },
    );
    expect(result?.accepted).toBe('unknown');
    expect({ calls, taken }).toEqual({ calls: [], taken: [] });
  });

  it('is not sent where it cannot be kept that it is', async () => {
    const { url, taken } = await web.open();
    const box = outbox({ begin: () => Promise.reject(new Error('No Temporal.')) });
    expect((await tell(slackAlerts, { SLUICE_SECRET_SLACK: url }, { box })).error?.message).toBe('No Temporal.');
    expect(taken).toEqual([]);
  });

  it('by a channel that the definition has no more is refused', async () => {
    const pipeline = { name: 'p', alerts: alertsSchema.parse({}) };
    const settings = settingsOf({});
    const delivery: Delivery = { id: 'n/slack', channel: 'slack', name: 'slack', transitions: ['t'] };
    const input = { pipeline, delivery, notice: noticeOf(transition()) };
    await expect(deliver({ settings, mail: new MailConnector(settings.mail) }, input, outbox())).rejects.toMatchObject({
      code: 'DeliveryRefused',
    });
  });
});

describe('a channel that is looked at, and sent nothing', () => {
  const verified = (environment: Record<string, string>): Promise<void> =>
    verifyChannel({ settings: settingsOf(environment) }, { name: 'slack', kind: 'slack', url: '${secret:SLACK}' });

  it('could be used where somebody answers at its address', async () => {
    const { url, taken } = await web.open();
    await verified({ SLUICE_SECRET_SLACK: `${url}/secretpart` });
    expect(taken).toEqual([]);
  });

  it('could not where nobody does, or nothing is known of it', async () => {
    const { url } = await web.open();
    web.close();
    const failed = verified({ SLUICE_SECRET_SLACK: `${url}/secretpart` });
    await expect(failed).rejects.toMatchObject({ code: 'SlackUnavailable' });
    await expect(failed).rejects.not.toThrow(/secretpart/);
    await expect(verified({})).rejects.toMatchObject({ code: 'SecretRefused' });
  });
});
