import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import { classified } from '../../src/activities/error-interceptor.ts';
import { PART_BYTES } from '../../src/stages/importing/raw-writer.ts';
import { ImportLab } from '../helpers/import-lab.ts';
import { noStack } from '../helpers/stack.ts';

const small = 'id,name\n1,a\n2,b\n';

describe.skipIf(noStack)('a source that does not do as it should', () => {
  let lab: ImportLab;
  beforeAll(async () => {
    lab = await ImportLab.start();
  });
  afterEach(() => lab.quiet());
  afterAll(() => lab.stop());

  /** About 40 MB, each row of its own. */
  const large = (): Buffer => {
    const lines = ['id,name\n'];
    for (let n = 0; n < 1_200_000; n++) lines.push(`${n},${'name '.repeat(5)}${n}\n`);
    return Buffer.from(lines.join(''));
  };

  /** Serves bytes with Range, and cuts each answer after so many of them. */
  function cutting(body: () => Buffer, tag: () => string, after: number) {
    return lab.serve((request, response) => {
      const bytes = body();
      const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
      const same = request.headers['if-range'] === tag();
      const from = range && same ? Number(range[1]) : 0;
      response.setHeader('etag', tag()).setHeader('content-length', bytes.length - from);
      if (from > 0) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
      response.writeHead(from > 0 ? 206 : 200);
      const part = bytes.subarray(from, from + after);
      response.write(part, () => {
        if (from + part.length === bytes.length) response.end();
        // What the other side has not read by then is lost with it.
        else setTimeout(() => response.socket?.resetAndDestroy(), 200);
      });
    });
  }

  test('a download that is cut goes on where it stopped, and is the same file in the end', async () => {
    const body = large();
    const url = await cutting(
      () => body,
      () => '"v1"',
      PART_BYTES + 1_000_000,
    );
    const pipeline = lab.define(`${url}/x.csv`);
    const { result, failures } = await lab.attempts(pipeline);
    expect(new Set(failures)).toEqual(new Set(['SourceCut']));
    // A slow machine may lose a part to a reset, and asks for it once more.
    const asked = lab.seen.map(({ headers }) => headers.range);
    expect([...new Set(asked)]).toEqual([undefined, `bytes=${PART_BYTES}-`, `bytes=${2 * PART_BYTES}-`]);
    // What was asked for in pieces is asked for plain, or the pieces would not fit.
    expect(lab.seen.at(-1)?.headers['accept-encoding']).toBe('identity');
    expect(result.record.raw.bytes).toBe(body.length);
    expect((await lab.deps.store.fetch(result.record.raw)).equals(body)).toBe(true);
    expect(result.parsed.rows).toEqual({ read: 1_200_000, parsed: 1_200_000, rejected: 0 });
    expect(result.record.notes).toEqual([`${url}/x.csv: resumed at byte ${2 * PART_BYTES}.`]);
    expect(await lab.keys(keys.fetching(pipeline.name))).toEqual([]);
  });

  test('one that changes in between begins anew', async () => {
    const [old, fresh] = [large(), Buffer.from(large().toString().replaceAll('name ', 'NAME '))];
    let asked = 0;
    const now = () => (asked <= 1 ? old : fresh);
    const url = await lab.serve((request, response) => {
      asked++;
      const tag = asked <= 1 ? '"old"' : '"fresh"';
      const from = request.headers['if-range'] === tag ? Number(/\d+/.exec(request.headers.range ?? '0')?.[0]) : 0;
      response.setHeader('etag', tag).setHeader('content-length', now().length - from);
      if (from > 0) response.setHeader('content-range', `bytes ${from}-${now().length - 1}/${now().length}`);
      response.writeHead(from > 0 ? 206 : 200);
      if (asked === 1)
        response.write(now().subarray(0, PART_BYTES + 10), () => setTimeout(() => response.destroy(), 20));
      else response.end(now().subarray(from));
    });
    const { result, failures } = await lab.attempts(lab.define(`${url}/x.csv`));
    expect(failures).toHaveLength(1);
    expect(lab.seen[1]?.headers).toMatchObject({ range: `bytes=${PART_BYTES}-`, 'if-range': '"old"' });
    expect((await lab.deps.store.fetch(result.record.raw)).equals(fresh)).toBe(true);
  });

  test('one that answers with another part than was asked for is fetched from its beginning', async () => {
    const body = large();
    let asked = 0;
    const url = await lab.serve((request, response) => {
      asked++;
      response.setHeader('etag', '"v"');
      if (asked === 1) {
        response.writeHead(200, { 'content-length': body.length });
        response.write(body.subarray(0, PART_BYTES + 10), () => setTimeout(() => response.destroy(), 20));
      } else if (request.headers.range !== undefined) {
        response.writeHead(206, { 'content-range': `bytes 5-${body.length - 1}/${body.length}` });
        response.end(body.subarray(5));
      } else response.end(body);
    });
    const { result } = await lab.attempts(lab.define(`${url}/x.csv`));
    expect(asked).toBe(3);
    expect((await lab.deps.store.fetch(result.record.raw)).equals(body)).toBe(true);
  });

  test('what an attempt left behind is collected after a day', async () => {
    const url = await lab.serve((_request, response) => response.end(small));
    const pipeline = lab.define(`${url}/x.csv`);
    const key = `${keys.fetching(pipeline.name)}old/000000/p000000`;
    await lab.deps.store.put(key, Buffer.from('x'));
    const { collectLeftOvers } = await import('../../src/stages/scratch.ts');
    expect(await collectLeftOvers(lab.deps.store, keys.fetching(pipeline.name), Date.now())).toBe(0);
    expect(await collectLeftOvers(lab.deps.store, keys.fetching(pipeline.name), Date.now() + 25 * 3_600_000)).toBe(1);
    expect(await lab.keys(keys.fetching(pipeline.name))).toEqual([]);
  });

  /** A server that speaks in bytes, for what Node's own will not say. */
  async function rawServer(answer: string, after: 'end' | 'reset' | 'stay'): Promise<string> {
    const server = createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(answer, () => {
          if (after === 'end') socket.end();
          if (after === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    lab.allow(host);
    closers.push(() => server.close());
    return `http://${host}/x.csv`;
  }
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));
  const head = (more: string): string => `HTTP/1.1 200 OK\r\n${more}\r\n\r\n`;

  test.each([
    [
      'declares more than it sends',
      head('content-length: 99') + small,
      'end',
      'SourceLengthWrong',
      /declared 99 bytes \(Content-Length\) and sent 16/,
    ],
    [
      'declares less than it sends',
      head('content-length: 12') + small,
      'end',
      'SourceLengthWrong',
      /declared 12 bytes .* sent more than 12/,
    ],
    ['is cut', head('content-length: 99') + small, 'reset', 'SourceCut', /at byte 16 of 99 failed/],
    ['is cut within a chunk', `${head('transfer-encoding: chunked')}ff\r\n${small}`, 'end', 'SourceCut', /at byte 16/],
    [
      'stalls',
      head('content-length: 99') + small,
      'stay',
      'SourceStalled',
      /no byte for 1 s \(source.limits.idleSeconds\)/,
    ],
    ['says nothing', '', 'stay', 'SourceStalled', /no byte for 1 s/],
    ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'stay', 'SourceUnavailable', /failed: Parse Error/],
    [
      'sends a coding that nobody reads',
      head('content-encoding: compress\r\ncontent-length: 3') + 'abc',
      'end',
      'SourceMalformed',
      /content encoding compress/,
    ],
    [
      'sends broken gzip',
      head('content-encoding: gzip\r\ncontent-length: 3') + 'abc',
      'end',
      'SourceCut',
      /sends gzip that is broken or cut/,
    ],
  ] as const)('that %s', async (_name, answer, after, code, message) => {
    const url = await rawServer(answer, after);
    expect(await lab.failure(lab.run(lab.define(url, { limits: { idleSeconds: 1 } })))).toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('an https address that speaks no TLS, and a certificate that nobody vouches for', async () => {
    const plain = await lab.serve((_request, response) => response.end(small));
    expect(await lab.failure(lab.run(lab.define(plain.replace('http:', 'https:'))))).toMatchObject({
      code: 'SourceCertificate',
      message: expect.stringContaining('does not speak TLS') as unknown,
    });
    const { selfSigned } = await import('../helpers/self-signed.ts');
    const { url, close } = await selfSigned(small);
    closers.push(close);
    lab.allow(new URL(url).host);
    expect(await lab.failure(lab.run(lab.define(url)))).toMatchObject({
      code: 'SourceCertificate',
      message: expect.stringMatching(/the certificate is not valid \(self-signed/) as unknown,
    });
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s on the way is taken off, and what is kept is the file', async (coding, compress) => {
    const url = await lab.serve((request, response) => {
      expect(request.headers['accept-encoding']).toContain(coding);
      response.setHeader('content-encoding', coding).end(compress(small));
    });
    const { record, parsed } = await lab.run(lab.define(`${url}/x.csv`));
    expect((await lab.deps.store.fetch(record.raw)).toString()).toBe(small);
    expect(parsed.rows.parsed).toBe(2);
  });

  test('a bomb of 10 GB in 10 MB stops at its limit, on the way and in the file, in bounded memory', async () => {
    // Members of a gzip file follow each other, so one that was made once is a hundred.
    const member = gzipSync(Buffer.alloc(100_000_000, 'x'), { level: 9 });
    const bytes = Buffer.concat([gzipSync('id,name\n'), ...Array.from({ length: 100 }, () => member)]);
    expect(bytes.length).toBeLessThan(11_000_000);
    const url = await lab.serve((request, response) => {
      if (request.url === '/coded') response.setHeader('content-encoding', 'gzip');
      response.end(bytes);
    });
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const before = process.memoryUsage().rss;
    try {
      for (const path of ['/coded', '/file.csv.gz']) {
        expect(await lab.failure(lab.run(lab.define(url + path)))).toMatchObject({
          code: 'SourceTooLarge',
          message: expect.stringMatching(/more than 250 times its size .*\(source.limits.expansion\)/) as unknown,
        });
      }
      const limits = { expandedBytes: 50_000_000, expansion: 1_000_000 };
      expect(await lab.failure(lab.run(lab.define(`${url}/coded`, { limits })))).toMatchObject({
        code: 'SourceTooLarge',
        message: expect.stringContaining('more than 50000000 bytes') as unknown,
      });
    } finally {
      clearInterval(watch);
    }
    expect(most - before).toBeLessThan(300_000_000);
  });

  test('a redirect to itself, to a private address, to less safety, to another scheme', async () => {
    const url = await lab.serve((request, response) => {
      const to: Record<string, string> = {
        '/self': '/self',
        '/private': 'http://10.0.0.1/x.csv',
        '/meta': 'http://169.254.169.254/latest/meta-data/',
        '/mapped': 'http://[::ffff:127.0.0.1]:9/',
        '/odd': 'http://2130706433/',
        '/file': 'file:///etc/passwd',
      };
      response.writeHead(302, { location: to[request.url ?? ''] ?? '/' }).end();
    });
    const codes = await Promise.all(
      ['/self', '/private', '/meta', '/mapped', '/odd', '/file'].map(
        async (path) => (await lab.failure(lab.run(lab.define(url + path)))).code,
      ),
    );
    expect(codes).toEqual(['SourceRedirects', ...Array.from({ length: 5 }, () => 'SourceAddressRefused')]);
  });

  test('one that asks to be left alone is left alone for that long', async () => {
    const url = await lab.serve((request, response) => {
      response
        .writeHead(429, { 'retry-after': request.url === '/date' ? new Date(Date.now() + 90_000).toUTCString() : '7' })
        .end();
    });
    const error = await lab.failure(lab.run(lab.define(`${url}/x.csv`)));
    expect(error).toMatchObject({ code: 'SourceUnavailable', facts: { retryAfterMs: 7_000 } });
    expect(classified(error)).toMatchObject({ nextRetryDelay: 7_000, nonRetryable: false });
    const dated = await lab.failure(lab.run(lab.define(`${url}/date`)));
    expect(Number(dated.facts?.['retryAfterMs'])).toBeGreaterThan(60_000);
  });

  test('a file that has not changed is not sent again, and its hour is done in no time', async () => {
    let version = '"1"';
    const url = await lab.serve((request, response) => {
      response.setHeader('etag', version);
      if (request.headers['if-none-match'] === version) response.writeHead(304).end();
      else response.end(small);
    });
    const pipeline = lab.define(`${url}/x.csv`);
    const before = new Date(Date.parse(lab.hour) - 3 * 3_600_000).toISOString().replace('.000Z', 'Z');
    const first = await lab.run(pipeline, { hour: before, useCurrent: true });
    await lab.deps.store.createJson(keys.hourRecord(pipeline.name, before, 1), {
      ...{ stream: pipeline.name, hour: before, generation: 1, batch: 'b', rows: 2 },
      ...{ rawSha: first.record.raw.sha256, definitionSha: first.definitionSha },
    });
    const again = await lab.run(pipeline);
    expect(again).toMatchObject({ sameAs: before, record: { notModifiedSince: before, raw: first.record.raw } });
    expect(lab.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"']);
    // Another request is another file, whatever its ETag says; and who asks again by force, asks for all of it.
    await lab.deps.store.remove([keys.importRecord(pipeline.name, lab.hour, 1)]);
    await lab.run({ ...pipeline, source: { ...pipeline.source, query: { a: 'b' } } });
    await lab.deps.store.remove([keys.importRecord(pipeline.name, lab.hour, 1)]);
    await lab.run(pipeline, { force: true });
    expect(lab.seen.slice(2).map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
    version = '"2"';
    await lab.deps.store.remove([keys.importRecord(pipeline.name, lab.hour, 1)]);
    expect((await lab.run(pipeline)).record).not.toHaveProperty('notModifiedSince');
  });

  test('one that is slow to begin is given up in time, and a cancellation is one', async () => {
    const url = await lab.serve(() => {});
    const stop = new AbortController();
    const work = lab.run(lab.define(`${url}/x.csv`), {}, { signal: stop.signal, progress: () => {} });
    await wait(100);
    stop.abort(new Error('stopped by the test'));
    await expect(work).rejects.toThrow('stopped by the test');
  });
});
