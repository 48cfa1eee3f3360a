import { afterEach, describe, expect, it } from 'vitest';
import { classified } from '../../src/activities/error-interceptor.ts';
import { MailConnector } from '../../src/connectors/mail.ts';
import { pipelineSchema } from '../../src/definition/pipeline.ts';
import { sendFailureAlert } from '../../src/stages/accounting/alert.ts';
import type { AlertPage } from '../../src/stages/alerting/mail-with-page.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { AlertInput } from '../../src/stages/run-report.ts';
import { MailServers, type Breaks, type MailManners } from '../helpers/mail-server.ts';

const servers = new MailServers();
afterEach(() => servers.close());

/** The bucket as far as an alert needs it. */
function bucket(): StageDeps['store'] {
  const objects = new Map<string, unknown>();
  return {
    findJson: async (key: string) => objects.get(key),
    createJson: async (key: string, value: unknown) => {
      if (!objects.has(key)) objects.set(key, value);
      return { value: objects.get(key) };
    },
    remove: async (keys: readonly string[]) => keys.forEach((key) => objects.delete(key)),
  } as unknown as StageDeps['store'];
}

const pipeline = pipelineSchema.parse({
  ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'] },
  ...{ columns: { id: { name: 'id', required: true } }, alerts: { email: { to: ['a@example.org'] } } },
});
const input: AlertInput = {
  pipeline,
  report: {
    ...{ pipeline: 'p', hour: '2026-11-24T03:00:00Z', workflowId: 'w', runId: 'r', stages: [] },
    error: { code: 'SourceNotFound', stage: 'import', message: 'There is no such file.' },
  },
};
const page: AlertPage = { filename: 'p-2026-11-24T03.html', html: '<!doctype html><title>p</title>' };

/** Tries to tell of it once and once again. @param manners of the mail server at the first try and, where others, at the second */
async function sent(manners: MailManners, makePage: () => Promise<AlertPage>, later: MailManners = manners) {
  const store = bucket();
  const all: string[] = [];
  const outcomes = [];
  for (const one of [manners, later]) {
    const { url, taken } = await servers.open(one);
    const mail = new MailConnector({ smtpUrl: url, from: 'Sluice <sluice@localhost>' }, 300);
    outcomes.push(await sendFailureAlert({ store, mail }, input, makePage).catch((error: Error) => error.message));
    all.push(...taken);
    servers.close();
  }
  return { once: outcomes[0], again: outcomes[1], taken: all };
}

const withPage = async (): Promise<AlertPage> => page;
const attached = /Content-Disposition: attachment; filename=p-2026-11-24T03\.html/i;

describe('the mail about a run that went wrong', () => {
  it('brings the run as a page along, and comes once', async () => {
    let made = 0;
    const { once, again, taken } = await sent({}, async () => ((made += 1), page));
    expect({ once, again, made }).toEqual({ once: { sent: true }, again: { sent: false }, made: 1 });
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatch(attached);
    expect(taken[0]).toContain('There is no such file.');
  });

  it('comes without the page where that cannot be made, and says why', async () => {
    const { once, taken } = await sent({}, () => Promise.reject(new Error('No ink.')));
    expect(once).toEqual({ sent: true });
    expect(taken[0]).toContain('The run as a page is not attached: No ink.');
    expect(taken[0]).not.toMatch(attached);
  });

  const noAttachment = (message: string): string | undefined =>
    attached.test(message) ? '552 5.7.0 no such attachments here' : undefined;

  it('comes without the page where the mail server takes none', async () => {
    const { once, taken } = await sent({ refuses: noAttachment }, withPage);
    expect(once).toEqual({ sent: true });
    expect(taken).toHaveLength(1);
    expect(taken[0]).not.toMatch(attached);
  });

  describe.each<[string, MailManners, string]>([
    ['to the sender', { answers: (text) => (text.startsWith('MAIL') ? '451 later' : undefined) }, '451'],
    ['to the recipient', { answers: (text) => (text.startsWith('RCPT') ? '450 greylisted' : undefined) }, '450'],
    ['to DATA', { answers: (text) => (text.startsWith('DATA') ? '451 later' : undefined) }, '451'],
    ['to DATA, and hangs up', { answers: (text) => (text.startsWith('DATA') ? '421 closing' : undefined) }, '421'],
    ['to the message', { refuses: () => '451 later' }, '451'],
    ['to the message, for good', { refuses: () => '554 no' }, '554'],
    ['to the mail that has no page', { refuses: (message) => noAttachment(message) ?? '451 later' }, '451'],
  ])('a server that says no %s', (_, manners, code) => {
    it('has not taken it, so it comes with the next try', async () => {
      const { once, again, taken } = await sent(manners, withPage, {});
      expect({ once, again }).toEqual({ once: expect.stringContaining(code) as string, again: { sent: true } });
      expect(taken).toHaveLength(1);
    });
  });

  it.each<[string, MailManners, number | undefined]>([
    ['not yet', { answers: (text) => (text.startsWith('RCPT') ? '450 greylisted' : undefined) }, 120_000],
    ['never', { refuses: () => '554 no' }, undefined],
    ['nothing', { breaks: { how: 'closes', at: 'the message' } }, undefined],
  ])('is tried again some minutes later where the server says %s', async (_, manners, later) => {
    const { url } = await servers.open(manners);
    const mail = new MailConnector({ smtpUrl: url, from: 'Sluice <sluice@localhost>' }, 300);
    const failed = sendFailureAlert({ store: bucket(), mail }, input, withPage).catch(classified);
    expect(await failed).toMatchObject({ type: 'MailUnavailable', nonRetryable: false });
    expect(await failed).toHaveProperty('nextRetryDelay', later);
  });

  const ways: Breaks[] = ['is silent', 'closes', 'resets'];

  it.each(ways)('is not sent again where the server has all of it and then %s', async (how) => {
    const { once, again, taken } = await sent({ breaks: { how, at: 'the message' } }, withPage, {});
    expect({ once, again }).toEqual({ once: expect.any(String) as string, again: { sent: false } });
    expect(taken).toHaveLength(1);
  });

  const early = (['EHLO', 'MAIL', 'RCPT', 'DATA'] as const).flatMap((at) => ways.map((how) => ({ how, at })));

  it.each([...early, { how: 'closes', at: 'HELLO' } as const])(
    'comes with the next try where the server $how at $at, before there is a message',
    async (breaks) => {
      const { once, again, taken } = await sent({ breaks }, withPage, {});
      expect({ once, again }).toEqual({ once: expect.any(String) as string, again: { sent: true } });
      expect(taken).toHaveLength(1);
    },
  );

  it('comes with the next try where nobody answered', async () => {
    const store = bucket();
    const nobody = new MailConnector({ smtpUrl: 'smtp://127.0.0.1:1', from: 'Sluice <sluice@localhost>' });
    await expect(sendFailureAlert({ store, mail: nobody }, input, withPage)).rejects.toThrow('did not take a mail');
    const { url } = await servers.open({});
    const mail = new MailConnector({ smtpUrl: url, from: 'Sluice <sluice@localhost>' });
    expect(await sendFailureAlert({ store, mail }, input, withPage)).toEqual({ sent: true });
  });
});
