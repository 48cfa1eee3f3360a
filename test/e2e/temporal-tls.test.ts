import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker } from '../../src/client/cli/worker-process.ts';
import { runSluice } from '../helpers/cli.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { temporalBehindTls } from '../helpers/temporal-proxy.ts';

/** An authority, and a certificate of it for localhost that may be a server's or a client's. */
function certificates(folder: string): { ca: string; cert: string; key: string } {
  const [ca, caKey, cert, key] = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name));
  const make = (out: string, outKey: string, more: readonly string[]): void => {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', outKey, '-out', out, ...more], { stdio: 'ignore' });
  };
  make(String(ca), String(caKey), ['-subj', '/CN=ca']);
  const ours = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  make(String(cert), String(key), [...ours, ...leaf, '-CA', String(ca), '-CAkey', String(caKey)]);
  return { ca: String(ca), cert: String(cert), key: String(key) };
}

describe.skipIf(noStack)('Temporal behind TLS, a client certificate and an API key', () => {
  let folder: string;
  let environment: Record<string, string | undefined>;
  let secured: Awaited<ReturnType<typeof temporalBehindTls>>;
  let paths: ReturnType<typeof certificates>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
    paths = certificates(folder);
    const stack = (await testStack()).environment;
    const [key, cert, ca] = await Promise.all([readFile(paths.key), readFile(paths.cert), readFile(paths.ca)]);
    secured = await temporalBehindTls(String(stack['TEMPORAL_ADDRESS']), { key, cert, ca });
    const { TEMPORAL_ADDRESS: _, ...others } = { ...process.env, ...stack };
    environment = { ...others, HOME: folder, NO_COLOR: '1' };
  });

  afterAll(async () => {
    secured.close();
    await rm(folder, { recursive: true, force: true });
  });

  const byVariables = (): Record<string, string> => ({
    TEMPORAL_ADDRESS: secured.address,
    TEMPORAL_API_KEY: 'key-of-the-variables',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: paths.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: paths.key,
  });

  it('lets a client in by the variables of the environment', async () => {
    const { code, out, err } = await runSluice(['status', '--json'], { ...environment, ...byVariables() });
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toHaveProperty('runs');
    expect(secured.calls.at(-1)).toMatchObject({ authorization: 'Bearer key-of-the-variables' });
  });

  it('lets client and worker in by a profile of a TOML file', async () => {
    const file = join(folder, 'temporal.toml');
    await writeFile(
      file,
      [
        ...[
          '[profile.cloud]',
          `address = "${secured.address}"`,
          'namespace = "default"',
          'api_key = "key-of-the-profile"',
        ],
        ...['[profile.cloud.tls]', `server_ca_cert_path = "${paths.ca}"`],
        ...[`client_cert_path = "${paths.cert}"`, `client_key_path = "${paths.key}"`, ''],
      ].join('\n'),
    );
    secured.calls.length = 0;
    const profiled = { ...environment, TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cloud' };
    const worker = await startWorker(profiled, join(folder, 'worker.log'));
    try {
      await expect.poll(() => secured.calls.map(({ method }) => method)).toContain('PollWorkflowTaskQueue');
      expect((await runSluice(['status', '--json'], profiled)).code).toBe(0);
    } finally {
      await worker.stop();
    }
    const agents = new Set(secured.calls.map(({ agent }) => agent.split(/[-/]/)[0]));
    expect(agents.size).toBe(2);
    expect(new Set(secured.calls.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer key-of-the-profile']),
    );
  });

  it('says in one sentence that it is not let in, or that a profile is not there', async () => {
    const { TEMPORAL_TLS_CLIENT_CERT_PATH: _, TEMPORAL_TLS_CLIENT_KEY_PATH: __, ...without } = byVariables();
    const refused = await runSluice(['status'], { ...environment, ...without });
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toMatch(
      /^Whoever listens at localhost:\d+ does not answer as Temporal, spoken to over TLS: .*\n$/,
    );
    const missing = await runSluice(['status', '--json'], { ...environment, TEMPORAL_PROFILE: 'nope' });
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.out)).toMatchObject({ error: { code: 'SettingsInvalid' } });
    expect(missing.err).toMatch(/^How to reach Temporal cannot be read from the environment: .*nope.*\n$/);
  });
});
