import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailConnector } from '../../src/connectors/mail.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { alertMail } from '../../src/stages/alerting/alert-mail.ts';
import { sendWithPage } from '../../src/stages/alerting/mail-with-page.ts';
import { messageOf } from '../../src/stages/alerting/message.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provision } from '../../stack/provision.ts';
import { versions } from '../../stack/versions.ts';
import { noticeOf, transition } from '../helpers/notices.ts';
import { selfSignedPair } from '../helpers/self-signed.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a mail server that wants TLS and a login', () => {
  const password = randomBytes(8).toString('hex');
  let folder: string;
  let server: ChildProcess;
  let inbox: string;
  let settings: Record<string, string>;

  beforeAll(async () => {
    const home = await provision({ name: 'mailpit', version: versions.mailpit }, new StackProgress(() => {}));
    folder = await mkdtemp(join(tmpdir(), 'sluice-mail-'));
    const { key, cert } = selfSignedPair();
    const [keyFile, certFile, logins] = ['key.pem', 'cert.pem', 'logins'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await Promise.all([writeFile(keyFile, key), writeFile(certFile, cert), writeFile(logins, `sluice:${password}\n`)]);
    const [smtp, http] = [await freePort(), await freePort()];
    server = spawn(
      join(home, 'mailpit'),
      [
        ...['--smtp', `127.0.0.1:${smtp}`, '--listen', `127.0.0.1:${http}`, '--quiet', '--disable-version-check'],
        ...[
          '--smtp-tls-cert',
          certFile,
          '--smtp-tls-key',
          keyFile,
          '--smtp-require-starttls',
          '--smtp-auth-file',
          logins,
        ],
      ],
      { stdio: 'ignore' },
    );
    inbox = `http://127.0.0.1:${http}`;
    settings = {
      ...{ SLUICE_SMTP_URL: `smtp://127.0.0.1:${smtp}`, SLUICE_SMTP_USER: 'sluice', SLUICE_SMTP_PASSWORD: password },
      ...{ SLUICE_SMTP_TLS: 'required', SLUICE_SMTP_CA: certFile },
    };
    for (
      let tries = 0;
      tries < 100 &&
      !(await fetch(`${inbox}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ));
      tries++
    )
      await wait(100);
  });

  afterAll(async () => {
    server?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  const connector = (changes: Record<string, string | undefined> = {}) =>
    new MailConnector(readSettings({ ...settings, ...changes }).mail);

  it('gets the mail, both parts of it, from who has them', async () => {
    const message = messageOf(noticeOf(transition({ subject: 'Übung & <b>' })), ['t'], { namespace: 'default' });
    const sent = await sendWithPage(connector(), alertMail(message, ['team@example.org'], 'k1'));
    expect(sent).toEqual({ rejected: [] });
    const { messages } = (await (await fetch(`${inbox}/api/v1/messages`)).json()) as { messages: { ID: string }[] };
    expect(messages).toHaveLength(1);
    expect(await (await fetch(`${inbox}/api/v1/message/${messages[0]?.ID}`)).json()).toMatchObject({
      ...{ Subject: 'Sluice: p: a run failed (Übung & <b>)', MessageID: 'k1@sluice' },
      Text: expect.stringContaining('p: a run failed (Übung & <b>). It is broken.') as string,
      HTML: expect.stringContaining('p: a run failed (Übung &amp; &lt;b&gt;)') as string,
    });
  });

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    ['with another password', { SLUICE_SMTP_PASSWORD: 'not-the-password' }, /535/],
    ['that does not know its certificate', { SLUICE_SMTP_CA: undefined }, /self-signed certificate/],
    ['that goes without TLS', { SLUICE_SMTP_TLS: 'off' }, /STARTTLS|5\d\d/],
  ])('takes nothing from one %s, which surely has not sent it', async (_, changes, said) => {
    const mail = { to: ['team@example.org'], subject: 's', text: 't', messageId: '<k2@sluice>' };
    const failed = connector(changes).send(mail);
    await expect(failed).rejects.toMatchObject({ code: 'MailUnavailable', facts: { accepted: false } });
    await expect(failed).rejects.toThrow(said);
    await expect(failed).rejects.not.toThrow(/not-the-password/);
  });
});
