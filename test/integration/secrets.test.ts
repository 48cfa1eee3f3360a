import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { ImportLab } from '../helpers/import-lab.ts';
import { noStack } from '../helpers/stack.ts';

const small = 'id,name\n1,a\n';
const value = 'hunter2-and-some-more';

/** Every way that we know by which who may start a workflow could have a worker's secret sent to them. */
describe.skipIf(noStack)('a secret', () => {
  let lab: ImportLab;
  let folder: string;
  beforeAll(async () => {
    lab = await ImportLab.start();
    folder = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  });
  afterEach(() => lab.quiet());
  afterAll(async () => {
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const host = (url: string): string => new URL(url).host;
  const bind = (...urls: string[]) =>
    lab.configure({ SLUICE_SECRET_API: value, SLUICE_SECRET_API_HOSTS: urls.map(host).join(',') });
  const headers = { authorization: 'Bearer ${secret:API}' };
  /** Whether the value was seen anywhere. */
  const leaked = (): boolean => JSON.stringify(lab.seen).includes(value);
  const told = async (url: string, source: Partial<PipelineInput['source']>) => {
    const error = await lab.failure(lab.run(lab.define(url, source)));
    expect(error.message).not.toContain(value);
    return error;
  };

  test('goes to the host that it is bound to, in headers, query and body, and is kept nowhere', async () => {
    const url = await lab.serve((_request, response) => response.setHeader('etag', '"1"').end(small));
    await bind(url);
    const pipeline = lab.define(`${url}/x.csv`, {
      headers,
      query: { key: '${secret:API}' },
      method: 'POST',
      body: { key: '${secret:API}' },
    });
    const progress: unknown[] = [];
    const result = await lab.run(
      pipeline,
      {},
      { signal: new AbortController().signal, progress: (step) => progress.push(step) },
    );
    expect(lab.seen[0]).toMatchObject({
      url: `/x.csv?key=${value}`,
      body: `{"key":"${value}"}`,
      headers: { authorization: `Bearer ${value}` },
    });
    const kept = await Promise.all(
      (await lab.keys(''))
        .filter((key) => key.endsWith('.json'))
        .map(async (key) => (await lab.deps.store.get(key)).toString()),
    );
    expect(JSON.stringify([result, progress, kept, lab.deps.settings])).not.toContain(value);
    expect(JSON.stringify(pipeline)).not.toContain(value);
  });

  test('is read from the folder of secrets, too', async () => {
    const url = await lab.serve((_request, response) => response.end(small));
    await writeFile(join(folder, 'API'), `${value}\n`);
    await writeFile(join(folder, 'API.hosts'), `${host(url)}\n`);
    await lab.configure({ SLUICE_SECRETS_DIR: folder });
    await lab.run(lab.define(url, { headers }));
    expect(lab.seen[0]?.headers['authorization']).toBe(`Bearer ${value}`);
  });

  test('does not go to a host that it is not bound to', async () => {
    const [home, other] = [
      await lab.serve((_, response) => response.end(small)),
      await lab.serve((_, response) => response.end(small)),
    ];
    await bind(home);
    expect(await told(other, { headers })).toMatchObject({
      code: 'SecretRefused',
      message: expect.stringContaining(`The secret API is not bound to ${host(other)}`) as unknown,
    });
    expect(await told(other, { query: { a: '${secret:API}' } })).toMatchObject({ code: 'SecretRefused' });
    expect(await told(other, { method: 'POST', body: '${secret:API}' })).toMatchObject({ code: 'SecretRefused' });
    expect(lab.seen).toEqual([]);
  });

  test('does not go anywhere where it is bound to nothing', async () => {
    const url = await lab.serve((_, response) => response.end(small));
    await lab.configure({ SLUICE_SECRET_API: value });
    expect(await told(url, { headers })).toMatchObject({ code: 'SecretRefused' });
  });

  test('does not follow a redirect to another host, nor does what was sent', async () => {
    const other = await lab.serve((_, response) => response.end(small));
    const home = await lab.serve((request, response) => {
      const status = request.url === '/308' ? 308 : 302;
      response.writeHead(status, { location: `${other}/x.csv` }).end();
    });
    await bind(home);
    await lab.run(lab.define(`${home}/302`, { headers }));
    expect(lab.seen.at(-1)).toMatchObject({ url: '/x.csv' });
    expect(lab.seen.at(-1)?.headers).not.toHaveProperty('authorization');
    lab.seen.length = 0;
    expect(await told(`${home}/308`, { method: 'POST', body: '${secret:API}' })).toMatchObject({
      code: 'SourceAddressRefused',
    });
    expect(lab.seen).toHaveLength(1);
  });

  test('does not come back to its host by way of another with what that one asks for', async () => {
    let home = '';
    const other = await lab.serve((_, response) => response.writeHead(302, { location: `${home}/steal` }).end());
    home = await lab.serve((_, response) => response.end(small));
    await bind(home);
    expect(await told(other, { headers })).toMatchObject({ code: 'SecretRefused' });
    expect(lab.seen).toEqual([]);
  });

  test('does not go over http to a host that is not allowed to be plain', async () => {
    await lab.configure({ SLUICE_SECRET_API: value, SLUICE_SECRET_API_HOSTS: 'example.org:80,example.org' });
    expect(await told('http://example.org/x.csv', { headers })).toMatchObject({
      code: 'SecretRefused',
      message: expect.stringContaining('without TLS') as unknown,
    });
  });

  test('does not stand in an address, where it would be shown, nor does a name lead out of the folder', () => {
    const definition = (source: object) => ({
      name: 'p',
      source: { url: 'https://a.example/x', ...source },
      columns: { id: { name: 'id' } },
    });
    expect(() => acceptDefinition(definition({ url: 'https://a.example/${secret:API}' }))).toThrow(
      /holds a secret, and addresses are shown/,
    );
    expect(() => acceptDefinition(definition({ url: 'https://u:p@a.example/x' }))).toThrow(/user name or password/);
    expect(() => acceptDefinition(definition({ headers: { a: '${secret:../../etc/passwd}' } }))).toThrow(
      /no name of a secret/,
    );
    expect(() => acceptDefinition(definition({ headers: { a: '${secret:api}' } }))).toThrow(/no name of a secret/);
    expect(() => acceptDefinition(definition({ headers: { Host: 'a.example' } }))).toThrow(
      /set by the importer itself/,
    );
    expect(() => acceptDefinition(definition({ headers: { 'a\nb': 'x' } }))).toThrow(/no header name/);
    expect(() => acceptDefinition(definition({ headers: { a: 'x\r\nb: y' } }))).toThrow(/line end/);
    expect(() => acceptDefinition(definition({ token: { url: 'https://a.example/${secret:API}' } }))).toThrow(
      /holds a secret/,
    );
  });

  test('does not leave by a definition that nobody has checked', async () => {
    const url = await lab.serve((_, response) => response.end(small));
    await bind(url);
    const pipeline = lab.define(url);
    const unchecked = {
      ...pipeline,
      source: { ...pipeline.source, headers: { host: 'evil.example', a: '${secret:API}' } },
    };
    expect(await lab.failure(lab.run(unchecked))).toMatchObject({ code: 'DefinitionInvalid' });
    expect(lab.seen).toEqual([]);
  });

  test('is no other variable of the environment, and its hosts are none either', async () => {
    const url = await lab.serve((_, response) => response.end(small));
    await bind(url);
    for (const name of ['API_HOSTS', 'PATH', 'SLUICE_S3_SECRET_KEY', 'OTHER']) {
      expect(await told(url, { headers: { a: `\${secret:${name}}` } })).toMatchObject({
        code: 'SecretRefused',
        message: expect.stringContaining(`no secret "${name}"`) as unknown,
      });
    }
  });

  test('does not follow a next page to another host', async () => {
    const other = await lab.serve((_, response) => response.end(small));
    const home = await lab.serve((_, response) => response.setHeader('link', `<${other}/2>; rel="next"`).end(small));
    await bind(home);
    expect(await told(home, { headers, paging: { kind: 'link' } })).toMatchObject({ code: 'SourceAddressRefused' });
    expect(lab.seen).toHaveLength(1);
  });

  test('does not stand in a sentence that quotes an answer', async () => {
    const url = await lab.serve((request, response) =>
      response.end(`{"you sent": "${request.headers.authorization}"}`),
    );
    await bind(url);
    expect(await told(url, { headers })).toMatchObject({
      code: 'SourceNotCsv',
      message: expect.stringContaining('Bearer ***') as unknown,
    });
  });

  describe('that buys a token', () => {
    const token = (url: string) => ({
      url: `${url}/token`,
      form: { client_secret: '${secret:API}' },
      field: 'a.token',
    });
    const server = () =>
      lab.serve((request, response) => {
        if (request.url === '/token') response.end('{"a":{"token":"T-123456"}}');
        else if (request.url === '/none') response.end('{"error":"T-123456"}');
        else response.end(small);
      });

    test('sends it where the secret may go, and nowhere else', async () => {
      const [home, other] = [await server(), await server()];
      await bind(home);
      await lab.run(lab.define(`${home}/x.csv`, { token: token(home) }));
      expect(lab.seen).toMatchObject([
        {
          method: 'POST',
          url: '/token',
          body: `client_secret=${value}`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        },
        { url: '/x.csv', headers: { authorization: 'Bearer T-123456' } },
      ]);
      lab.seen.length = 0;
      expect(await told(`${other}/x.csv`, { token: token(home) })).toMatchObject({
        code: 'SecretRefused',
        message: expect.stringContaining('bind the secret to both hosts') as unknown,
      });
      expect(lab.seen).toEqual([]);
      expect(leaked()).toBe(false);
    });

    test('says where the token was looked for, and not what was there', async () => {
      const home = await server();
      await bind(home);
      const error = await told(home, { token: { ...token(home), url: `${home}/none` } });
      expect(error).toMatchObject({
        code: 'SourceMalformed',
        message: expect.stringContaining('without a token at "a.token"') as unknown,
      });
      expect(error.message).not.toContain('T-123456');
    });
  });
});
