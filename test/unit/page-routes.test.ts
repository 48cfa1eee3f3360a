import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { createApi } from '../../src/client/api/server.ts';

const token = 'a-token-of-some-length';
const viewerToken = 'another-token-of-some-length';

let api: Api;
beforeAll(async () => {
  api = await createApi({
    ...{ host: '127.0.0.1', hosts: [], rateLimit: 5, token, viewerToken },
    environment: { TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
});
afterAll(() => api.close());

const asset = (name: string, headers: Record<string, string> = {}) =>
  api.inject({ url: `/dashboard/assets/${name}`, headers });

describe('the built-in page', () => {
  it('comes without a token, by any name, and lets run nothing but its own scripts', async () => {
    const { statusCode, headers, body } = await api.inject({ url: '/dashboard', headers: { host: 'any.example' } });
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, no-cache',
    });
    expect(body).toMatch(/^<!doctype html>/i);
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+="|\bstyle="/);
  });

  it('has all the parts that it names, each under its version and for good', async () => {
    const page = await api.inject({ url: '/dashboard' });
    const named = [...page.body.matchAll(/"(\/dashboard\/assets\/[^"]+)"/g)].map(([, address = '']) => address);
    expect(named.length).toBeGreaterThan(1);
    for (const url of named) {
      expect(url).toMatch(/\?v=[0-9a-f]{16}$/);
      const { statusCode, headers, body } = await api.inject({ url });
      expect([url, statusCode]).toEqual([url, 200]);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      if (!url.includes('.js')) continue;
      // A module asks for other parts alone: of what is imported from elsewhere nothing but types, no sign is left.
      for (const [, from = ''] of body.matchAll(/^import\b[^;']*'([^']+)'/gm))
        expect(`${url}: ${from}`).toContain(': /dashboard/assets/');
    }
  });

  it('gives out what it has, compressed as the browser takes it, and once', async () => {
    const plain = await asset('us-states.json', { 'accept-encoding': 'identity' });
    expect(plain.headers).toMatchObject({ 'content-type': 'application/json', vary: 'accept-encoding' });
    expect(JSON.parse(plain.body)).toMatchObject({ type: 'Topology' });
    for (const [accepted, coding, open] of [
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ] as const) {
      const { headers, rawPayload } = await asset('us-states.json', { 'accept-encoding': accepted });
      expect(headers['content-encoding']).toBe(coding);
      expect(open(rawPayload).equals(plain.rawPayload)).toBe(true);
      const again = await asset('us-states.json', {
        'accept-encoding': accepted,
        'if-none-match': `W/"x", ${headers.etag}`,
      });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    }
  });

  it('takes its interpreter’s helpers from the Vega that is there, so that both are one', async () => {
    const { body } = await asset('vega-interpreter.js');
    expect(body).toMatch(/const \{[^}]*\bisString\b[^}]*\} = globalThis\.vega;/);
    expect(body).not.toMatch(/^import /m);
    expect((await asset('vega.min.js')).body).toMatch(/\.ascending=.*\.isString=/s);
  });

  it.each([
    ...[
      '..%2f..%2fpackage.json',
      '%2e%2e/page/main.ts',
      'index.html',
      'constructor',
      '__proto__',
      'main.ts',
      '%00',
      '',
    ],
  ])('has no part "%s"', async (name) => {
    // What leads out of the folder is another address, which wants the token.
    expect((await asset(name)).statusCode).toBe(name.startsWith('%2e') ? 401 : 404);
  });

  it('is not counted against who looks at it', async () => {
    for (let n = 0; n < 10; n += 1) expect((await asset('us-states.json')).statusCode).toBe(200);
  });
});

describe('a token that lets look', () => {
  const as = (key: string, method: 'GET' | 'POST' | 'DELETE' | 'PUT', url: string) =>
    api.inject({ method, url, headers: { authorization: `Bearer ${key}` }, remoteAddress: `10.0.0.${(address += 1)}` });
  let address = 0;

  it('says of itself what it lets do', async () => {
    expect((await as(token, 'GET', '/session')).json()).toEqual({ maySteer: true, needsToken: true });
    expect((await as(viewerToken, 'GET', '/session')).json()).toEqual({ maySteer: false, needsToken: true });
    expect((await api.inject({ url: '/session', remoteAddress: '10.1.0.1' })).statusCode).toBe(401);
    expect((await as(`${viewerToken}x`, 'GET', '/session')).statusCode).toBe(401);
  });

  it('steers nothing', async () => {
    for (const [method, url] of [
      ['POST', '/consumers/broadband/pause'],
      ['POST', '/trigger-pipeline'],
      ['POST', '/runs/broadband/2026-11-26T03/cancel'],
      ['DELETE', '/schedules/broadband'],
      ['PUT', '/schedules/broadband'],
    ] as const) {
      const refused = await as(viewerToken, method, url);
      expect([url, refused.statusCode]).toEqual([url, 403]);
      expect(refused.body).toMatch(/lets look, and not steer: ask with that of SLUICE_API_TOKEN/);
      expect((await as(token, method, url)).body).not.toMatch(/lets look/);
    }
  });

  it('steers nothing by any way that this API has', async () => {
    const described = (await as(viewerToken, 'GET', '/openapi.json')).json<{ paths: Record<string, object> }>();
    const ways = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).flatMap((method) => (method === 'get' ? [] : [[method, path] as const])),
    );
    const urls = ways.map(([, path]) => path);
    expect(urls).toContain('/consumers/{stream}/resume');
    expect(urls).toContain('/incidents/{id}/acknowledge');
    for (const [method, path] of ways) {
      const url = path.replaceAll(/\{\w+\}/g, 'x');
      const refused = await as(viewerToken, method.toUpperCase() as 'POST', url);
      expect([method, path, refused.statusCode, refused.body.includes('This token lets look, and not steer')]).toEqual([
        ...[method, path, 403, true],
      ]);
    }
  });

  it('is not needed where there is none', async () => {
    const open = await createApi({
      ...{ host: '127.0.0.1', hosts: [], rateLimit: 5, environment: { TEMPORAL_ADDRESS: '127.0.0.1:1' } },
    });
    expect((await open.inject({ url: '/session' })).json()).toEqual({ maySteer: true, needsToken: false });
    await open.close();
  });
});
