import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runSluice, type Outcome } from '../helpers/cli.ts';
import { HttpServers } from '../helpers/http-server.ts';
import { MailServers } from '../helpers/mail-server.ts';

const web = new HttpServers();
const mails = new MailServers();
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-alerts-'));
  file = join(folder, 'demo.yaml');
  await writeFile(
    file,
    `name: demo
source: { url: https://example.org/x.csv }
columns: { id: { name: id, required: true } }
key: [id]
alerts:
  email: { to: [team@example.org] }
  slack: { url: '\${secret:SLACK}' }
  channels:
    ops: { webhook: { url: '\${secret:HOOK}', key: '\${secret:HOOK_KEY}' } }
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  web.close();
  mails.close();
});

const sluice = (args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> =>
  runSluice(args, { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1', ...environment });

describe('sluice alerts test', () => {
  it('sends one message by each channel, and says what came of it', async () => {
    const mail = await mails.open();
    const slack = await web.open((response) => response.writeHead(404).end('no_service'));
    const hook = await web.open();
    const { code, out } = await sluice(['alerts', 'test', file], {
      ...{ SLUICE_SMTP_URL: mail.url, SLUICE_SECRET_SLACK: `${slack.url}/services/secretpart` },
      ...{ SLUICE_SECRET_HOOK: hook.url, SLUICE_SECRET_HOOK_KEY: 'a-key-that-is-long-enough' },
    });
    expect(out.split('\n')).toEqual([
      'ok    email          email    The mail server took it for team@example.org.',
      expect.stringMatching(
        /^FAIL {2}slack {10}slack {4}Slack at 127\.0\.0\.1:\d+ answers 404 \(no_service\) and has not taken the message: /,
      ),
      'ok    ops            webhook  It was taken.',
      '',
    ]);
    expect(code).toBe(1);
    expect([mail.taken.length, slack.taken.length, hook.taken.length]).toEqual([1, 1, 1]);
    expect(mail.taken[0]).toMatch(/^Subject: Sluice: demo: this is a test\r$/m);
    expect(out).not.toContain('secretpart');
  });

  it('prints what would be sent, with no secret there and nobody asked', async () => {
    const { code, out, err } = await sluice(['alerts', 'test', file, '--dry-run']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(
      '--- email (email)\nTo: team@example.org\nSubject: Sluice: demo: this is a test\n\ndemo: this is a test. Nothing is wrong: ',
    );
    expect(out).toContain('--- slack (slack)\n{\n  "text": "🟠 demo: this is a test. ');
    expect(out).toContain('--- ops (webhook)\n{\n  "type": "sluice.alert",');
  });

  it('takes one channel alone, and prints JSON', async () => {
    const hook = await web.open();
    const environment = { SLUICE_SECRET_HOOK: hook.url, SLUICE_SECRET_HOOK_KEY: 'a-key-that-is-long-enough' };
    const { code, out } = await sluice(['alerts', 'test', file, '--channel', 'ops', '--json'], environment);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      ...{ pipeline: 'demo', channels: [{ channel: 'ops', kind: 'webhook', ok: true, sentence: 'It was taken.' }] },
    });
  });

  it('says which channels there are', async () => {
    const { code, err } = await sluice(['alerts', 'test', file, '--channel', 'slak']);
    expect({ code, err }).toEqual({ code: 1, err: 'demo has no channel "slak". Did you mean "slack"?\n' });
  });
});
