import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MailConnector } from '../../src/connectors/mail.ts';
import { pipelineSchema } from '../../src/definition/pipeline.ts';
import { sendFailureAlert, type AlertPage } from '../../src/stages/accounting/alert.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { AlertInput } from '../../src/stages/run-report.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** A mail server that keeps what it takes. @param refuses what it answers to a message, where it does not take it */
async function mailServer(refuses: (message: string) => string | undefined): Promise<{ url: string; taken: string[] }> {
  const taken: string[] = [];
  server = createServer((socket) => {
    let message: string | undefined;
    socket.write('220 here\r\n');
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      if (message !== undefined) {
        message += text;
        if (!message.endsWith('\r\n.\r\n')) return;
        const refused = refuses(message);
        if (refused === undefined) taken.push(message);
        message = undefined;
        socket.write(`${refused ?? '250 taken'}\r\n`);
      } else if (/^DATA/i.test(text)) {
        message = '';
        socket.write('354 go on\r\n');
      } else {
        socket.write(/^QUIT/i.test(text) ? '221 bye\r\n' : '250 fine\r\n');
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

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

async function sent(refuses: (message: string) => string | undefined, makePage: () => Promise<AlertPage>) {
  const { url, taken } = await mailServer(refuses);
  const mail = new MailConnector({ smtpUrl: url, from: 'Sluice <sluice@localhost>' });
  const store = bucket();
  const once = await sendFailureAlert({ store, mail }, input, makePage).catch((error: Error) => error.message);
  const again = await sendFailureAlert({ store, mail }, input, makePage).catch((error: Error) => error.message);
  return { once, again, taken };
}

const attached = /Content-Disposition: attachment; filename=p-2026-11-24T03\.html/i;

describe('the mail about a run that went wrong', () => {
  it('brings the run as a page along, and comes once', async () => {
    let made = 0;
    const { once, again, taken } = await sent(
      () => undefined,
      async () => ((made += 1), page),
    );
    expect({ once, again, made }).toEqual({ once: { sent: true }, again: { sent: false }, made: 1 });
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatch(attached);
    expect(taken[0]).toContain('There is no such file.');
  });

  it('comes without the page where that cannot be made, and says why', async () => {
    const { once, taken } = await sent(
      () => undefined,
      () => Promise.reject(new Error('No ink.')),
    );
    expect(once).toEqual({ sent: true });
    expect(taken[0]).toContain('The run as a page is not attached: No ink.');
    expect(taken[0]).not.toMatch(attached);
  });

  it('comes without the page where the mail server takes none', async () => {
    const { once, taken } = await sent(
      (message) => (attached.test(message) ? '552 5.7.0 no such attachments here' : undefined),
      async () => page,
    );
    expect(once).toEqual({ sent: true });
    expect(taken).toHaveLength(1);
    expect(taken[0]).not.toMatch(attached);
  });

  it('fails as the server says where that is busy, or takes none of ours at all', async () => {
    const busy = await sent(
      () => '451 later',
      async () => page,
    );
    expect(busy).toMatchObject({ once: expect.stringContaining('451') as string, taken: [] });
    server?.close();
    const never = await sent(
      () => '554 no',
      async () => page,
    );
    expect(never).toMatchObject({ once: expect.stringContaining('554') as string, taken: [] });
  });
});
