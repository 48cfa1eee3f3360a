import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { RunLinks } from '../../src/client/api/links.ts';
import { listeningOn } from '../../src/client/api/listening.ts';
import { createApi, type ApiOptions } from '../../src/client/api/server.ts';
import { serveApi } from '../../src/client/api/serving.ts';
import { ids } from '../../src/definition/names.ts';

const token = 'a-token-of-some-length';
/** Nobody listens there: the API has to do without Temporal. */
const environment = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
const usual: ApiOptions = { host: '127.0.0.1', hosts: [], environment, rateLimit: 1_000 };

let api: Api | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

async function ask(request: InjectOptions, options: Partial<ApiOptions> = {}) {
  api ??= await createApi({ ...usual, ...options });
  const { statusCode, headers, body } = await api.inject(request);
  return { status: statusCode, headers, body, json: body.startsWith('{') ? (JSON.parse(body) as unknown) : undefined };
}

const trigger = (headers: Record<string, string> = {}, payload?: string): InjectOptions => ({
  method: 'POST',
  url: '/trigger-pipeline',
  headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  ...(payload === undefined ? {} : { payload }),
});

describe('the HTTP API', () => {
  it('answers of itself that it works, and that it is not ready, while Temporal is away', async () => {
    expect(await ask({ url: '/healthz' })).toMatchObject({ status: 200, json: { status: 'ok' } });
    const ready = await ask({ url: '/readyz' });
    expect(ready).toMatchObject({
      status: 503,
      json: { type: 'about:blank', title: 'Service Unavailable', status: 503, code: 'StackUnavailable' },
    });
    expect(ready.headers['content-type']).toMatch('application/problem+json');
    expect(ready.headers['retry-after']).toBe('5');
  });

  it('tells nobody who asks for its readiness where Temporal is, and its log why it does not answer', async () => {
    const lines: string[] = [];
    const log = { write: (line: string) => void lines.push(line) };
    const ready = await ask({ url: '/readyz' }, { token, log });
    expect(ready.json).toMatchObject({ status: 503, detail: 'Temporal does not answer.' });
    expect(ready.body).not.toContain('127.0.0.1');
    await Promise.all([ask({ url: '/readyz' }), ask({ url: '/readyz' })]);
    expect(lines.filter((line) => line.includes('No Temporal server answers at 127.0.0.1:1'))).toHaveLength(1);
  });

  it('keeps the contract of POST /trigger-pipeline: what fails is a 500 of that form', async () => {
    for (const request of [
      trigger(),
      trigger({ 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' }),
      trigger({ 'content-type': 'application/json' }),
      trigger({}, '{}'),
    ]) {
      const { status, headers, json } = await ask(request);
      expect(status).toBe(500);
      expect(headers['content-type']).toMatch('application/json');
      expect(json).toEqual({
        status: 'error',
        message: expect.stringMatching(/^Failed to trigger pipeline: No Temporal server answers at 127\.0\.0\.1:1: /),
        code: 'StackUnavailable',
      });
    }
  });

  it.each([
    ['text for JSON', trigger({ 'content-type': 'text/plain' }, '{}'), 415, /must be JSON/],
    ['a form', trigger({ 'content-type': 'application/x-www-form-urlencoded' }, 'a=1'), 415, /must be JSON/],
    ['half a JSON', trigger({}, '{"pipeline": '), 400, /JSON/],
    ['a prototype', trigger({}, '{"__proto__": {"pipeline": "a"}}'), 400, /JSON|prototype/],
    ['null', trigger({}, 'null'), 400, /not null/],
    ['an unknown field', trigger({}, '{"huor": "2026-11-24T03"}'), 400, /body: .*huor/],
    ['no hour', trigger({}, '{"hour": "yesterday"}'), 400, /body\.hour: is no hour: write it like/],
    ['no name', trigger({}, '{"pipeline": "A B"}'), 400, /body\.pipeline/],
    ['no key', trigger({ 'idempotency-key': 'ä' }), 400, /idempotency-key: has 1 to 128/],
    ['too much', trigger({}, `{"pipeline": "${'a'.repeat(1_100_000)}"}`), 413, /larger than/],
  ])('refuses %s on that route, in its form', async (_what, request, status, sentence) => {
    const answer = await ask(request);
    expect(answer).toMatchObject({ status, json: { status: 'error', message: expect.stringMatching(sentence) } });
    expect(answer.body).not.toMatch(/\bat .*\.ts|node_modules/);
  });

  it('says what there is, and which methods it takes', async () => {
    expect(await ask({ url: '/nope' })).toMatchObject({ status: 404, json: { code: 'RouteUnknown' } });
    const other = await ask({ method: 'DELETE', url: '/trigger-pipeline' });
    expect(other).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    const { json } = await ask({ url: '/openapi.json' });
    expect(json).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), info: { title: 'Sluice' } });
    const { paths } = json as { paths: Record<string, Record<string, { requestBody?: { required: boolean } }>> };
    expect(paths['/trigger-pipeline']?.['post']?.requestBody).toMatchObject({ required: false });
  });

  it('has every request that docs/api.md shows, and shows each that it has', async () => {
    const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'api.md'), 'utf8');
    const written = [
      ...Array.from(page.matchAll(/`(GET|POST|PUT|DELETE) (\/[^`?]*)/g), ([, method = '', path = '']) => [
        method,
        path,
      ]),
      // `…/resume` stands for the address before it, with another end.
      ...Array.from(page.matchAll(/`POST (\/[^`]*\/)\w+`[^|]*?\|/g)).flatMap(([text, start = '']) =>
        Array.from(text.matchAll(/`…\/(\w+)`/g), ([, end = '']) => ['POST', start + end]),
      ),
      ...Array.from(page.matchAll(/curl (.*)localhost:5000(\/[^'? \n]*)/g), ([, options = '', path = '']) => [
        /-X (\w+)/.exec(options)?.[1] ?? 'GET',
        path,
      ]),
    ];
    const { paths } = (await ask({ url: '/openapi.json' })).json as { paths: Record<string, object> };
    const there = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = written.map(([method, path = '']) => {
      const fits = (route: string) => new RegExp(`^${method} ${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return (
        there.find((one) => fits(one.split(' ')[1] ?? '').test(`${method} ${path}`) && one.startsWith(`${method} `)) ??
        path
      );
    });
    expect([...new Set(shown)].filter((one) => one !== '/openapi.json').toSorted()).toEqual(there.toSorted());
  });

  it.each([
    ['a name that leads here', { host: 'evil.example' }],
    ['a name that begins like an address', { host: '127.0.0.1.evil.example' }],
    ['a host that is none', { host: '127.0.0.1@evil' }],
    ['a page of another site', { origin: 'http://evil.example' }],
    ['a page of another port', { host: 'localhost:5000', origin: 'http://localhost:3000' }],
    ['a page without an origin of its own', { origin: 'null' }],
  ])('refuses %s', async (_what, headers) => {
    for (const url of ['/openapi.json', '/nope']) {
      expect(await ask({ url, headers })).toMatchObject({ status: 403, json: { code: 'RequestRefused' } });
    }
    expect(await ask(trigger(headers))).toMatchObject({ status: 403, json: { status: 'error' } });
    // Those who balance load come by any name, and learn nothing.
    expect(await ask({ url: '/healthz', headers: { host: 'any' } })).toMatchObject({ status: 200 });
  });

  it('goes by addresses, localhost, and the names that it is told', async () => {
    const hosts = ['api.example'];
    for (const host of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000', '10.1.2.3', 'API.example:80'])
      expect(await ask({ url: '/openapi.json', headers: { host } }, { hosts })).toMatchObject({ status: 200 });
    const own = { host: 'localhost:5000', origin: 'http://localhost:5000' };
    expect(await ask({ url: '/openapi.json', headers: own })).toMatchObject({ status: 200 });
  });

  it('wants its token where it has one, for everything but its health', async () => {
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await ask({ url: '/openapi.json', headers }, { token });
      expect(answer).toMatchObject({ status: 401, json: { code: 'RequestRefused' } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(await ask(trigger(headers))).toMatchObject({ status: 401, json: { status: 'error' } });
    }
    expect(await ask({ url: '/healthz' })).toMatchObject({ status: 200 });
    const { status, json, headers } = await ask({
      url: '/openapi.json',
      headers: { authorization: `Bearer ${token}` },
    });
    expect([status, headers['www-authenticate']]).toEqual([200, undefined]);
    expect(json).toMatchObject({ security: [{ token: [] }] });
    for (const scheme of ['bearer', 'BEARER'])
      expect(await ask({ url: '/openapi.json', headers: { authorization: `${scheme} ${token}` } })).toMatchObject({
        status: 200,
      });
  });

  it('slows down who asks too often, also who guesses tokens', async () => {
    const options = { token, rateLimit: 3 };
    for (let n = 0; n < 3; n += 1) expect(await ask({ url: '/nope' }, options)).toMatchObject({ status: 401 });
    const answer = await ask({ url: '/nope' });
    expect(answer).toMatchObject({ status: 429, json: { code: 'TooManyRequests' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(await ask({ url: '/healthz' })).toMatchObject({ status: 200 });
  });

  it('counts those behind a proxy that it knows by themselves, and nobody else by what they say', async () => {
    const from = (client: string, remoteAddress: string) =>
      ask(
        { url: '/nope', remoteAddress, headers: { 'x-forwarded-for': client } },
        { rateLimit: 1, proxies: ['10.0.0.7', '10.1.0.0/16'] },
      );
    expect(await from('203.0.113.1', '10.0.0.7')).toMatchObject({ status: 404 });
    expect(await from('203.0.113.2', '10.1.2.3')).toMatchObject({ status: 404 });
    expect(await from('203.0.113.1', '10.1.2.3')).toMatchObject({ status: 429 });
    expect(await from('203.0.113.3', '10.0.0.8')).toMatchObject({ status: 404 });
    expect(await from('203.0.113.4', '10.0.0.8')).toMatchObject({ status: 429 });
  });

  it('sends headers that keep a browser from making more of its answers than they are', async () => {
    const { headers } = await ask({ url: '/healthz' });
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('logs a line a request, without headers and queries', async () => {
    const lines: string[] = [];
    const log = { write: (line: string) => void lines.push(line) };
    const secret = 'tell-nobody';
    await ask({ url: `/nope?key=${secret}`, headers: { authorization: `Bearer ${secret}` } }, { token, log });
    const answered = lines.map((line) => JSON.parse(line) as object).filter((line) => 'status' in line);
    expect(answered).toMatchObject([{ method: 'GET', path: '/nope', status: 401 }]);
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).not.toContain(token);
  });
});

describe('where the API listens', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('%s needs no token', async (host) => {
    expect(await listeningOn(host, {})).toEqual({ host, hosts: [] });
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'api.example', '127.0.0.1.evil.example', '::ffff:10.0.0.1'])(
    '%s needs one',
    async (host) => {
      await expect(listeningOn(host, {})).rejects.toThrow(/so it needs a token: set SLUICE_API_TOKEN/);
      expect(await listeningOn(host, { SLUICE_API_TOKEN: token })).toMatchObject({ host, token });
    },
  );

  it('takes the token from a file, and none that can be guessed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-api-'));
    const file = join(folder, 'token');
    const at = (text: Record<string, string>) => listeningOn('::', text);
    await writeFile(file, `${token}\n`);
    expect(await at({ SLUICE_API_TOKEN_FILE: file })).toMatchObject({ token });
    await writeFile(file, '\n');
    await expect(at({ SLUICE_API_TOKEN_FILE: file })).rejects.toThrow(/is empty/);
    await rm(folder, { recursive: true });
    await expect(at({ SLUICE_API_TOKEN_FILE: file })).rejects.toThrow(/SLUICE_API_TOKEN_FILE cannot be read/);
    await expect(at({ SLUICE_API_TOKEN: 'short' })).rejects.toThrow(/can be guessed/);
    await expect(at({ SLUICE_API_TOKEN: 'with a space in it, long' })).rejects.toThrow(/a header cannot carry/);
    expect((await at({ SLUICE_API_TOKEN: token, SLUICE_API_HOSTS: 'A.example, b.example,' })).hosts).toEqual([
      'a.example',
      'b.example',
    ]);
  });

  it('takes a token that lets look beside the other one, and another one than that', async () => {
    const at = (text: Record<string, string>) => listeningOn('127.0.0.1', text);
    const viewerToken = 'another-token-of-some-length';
    expect(await at({ SLUICE_API_TOKEN: token, SLUICE_API_VIEWER_TOKEN: viewerToken })).toMatchObject({
      ...{ token, viewerToken },
    });
    for (const wrong of [
      { SLUICE_API_VIEWER_TOKEN: token },
      { SLUICE_API_TOKEN: token, SLUICE_API_VIEWER_TOKEN: token },
    ])
      await expect(at(wrong)).rejects.toThrow(/for who may look and not steer: set SLUICE_API_TOKEN, another one/);
    await expect(at({ SLUICE_API_TOKEN: token, SLUICE_API_VIEWER_TOKEN: 'short' })).rejects.toThrow(
      /\(SLUICE_API_VIEWER_TOKEN\) is shorter than 16/,
    );
  });

  it('has an address for others and proxies where it is told so, and none that are none', async () => {
    const at = (text: Record<string, string>) => listeningOn('127.0.0.1', text);
    expect(
      await at({
        SLUICE_API_URL: 'https://Sluice.example.org/api/',
        SLUICE_API_HOSTS: 'other.example',
        SLUICE_API_PROXIES: '10.0.0.7, 10.1.0.0/16,fd00::/8',
      }),
    ).toEqual({
      host: '127.0.0.1',
      hosts: ['other.example', 'sluice.example.org'],
      url: 'https://sluice.example.org/api',
      proxies: ['10.0.0.7', '10.1.0.0/16', 'fd00::/8'],
    });
    // What compose hands on where nothing is set.
    expect(await at({ SLUICE_API_URL: '', SLUICE_API_PROXIES: '' })).toEqual({ host: '127.0.0.1', hosts: [] });
    for (const url of ['sluice.example.org', 'ftp://a.example', 'https://me:pw@a.example', 'https://a.example/?a=b'])
      await expect(at({ SLUICE_API_URL: url })).rejects.toThrow(/SLUICE_API_URL is no address .*write it like https:/);
    for (const proxies of ['proxy.example', '10.0.0.0/33', '0.0.0.0/0', 'fd00::/129', '10.0.0.1/', 'true'])
      await expect(at({ SLUICE_API_PROXIES: `127.0.0.1,${proxies}` })).rejects.toThrow(`"${proxies}" is no address`);
  });

  it('has links that begin with its address for others, else with the one that was asked', () => {
    const place = { address: '10.0.0.1:7233', namespace: 'default', options: {} };
    const headers = { host: '127.0.0.1:5000', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const run = (own?: string) => new RunLinks(own, undefined, place).of({ headers }, ids.pipeline('a', hour), 'r');
    const hour = '2026-11-24T03:00:00Z';
    expect(run()).toEqual({
      run: 'http://127.0.0.1:5000/runs/a/2026-11-24T03',
      report: 'http://127.0.0.1:5000/runs/a/2026-11-24T03/report?run=r',
      events: 'http://127.0.0.1:5000/runs/a/2026-11-24T03/events',
    });
    expect(run('https://sluice.example.org/api').run).toBe('https://sluice.example.org/api/runs/a/2026-11-24T03');
  });

  it('says in a sentence that a port is held, or takes another one where it may', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(serveApi({ ...usual, port })).rejects.toThrow(`Port ${port} is held by another process`);
    const served = await serveApi({ ...usual, port, orAnyPort: true });
    expect(served.url).not.toContain(String(port));
    expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
    await served.stop();
    await expect(fetch(`${served.url}/healthz`)).rejects.toThrow('fetch failed');
    holder.close();
    await expect(serveApi({ ...usual, host: '203.0.113.1', port: 0 })).rejects.toThrow(/no address of this machine/);
  });
});
