import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../src/client/api/context.ts';
import { createApi } from '../../src/client/api/server.ts';
import type { Store } from '../../src/connectors/object-store.ts';
import type { QuarantineEntry } from '../../src/definition/refs.ts';
import { rejectedPage } from '../../src/inspecting/quarantine.ts';

const line = (row: number): string =>
  `${JSON.stringify({ file: 'f', row, line: row, byteOffset: 0, rule: 'r', raw: 'x'.repeat(1_000) })}\n`;
const entry = (rejected: number): QuarantineEntry =>
  ({
    ...{ pipeline: 'shops', hour: '2026-11-24T03:00:00Z', cleanedAt: '2026-11-24T03:01:00Z' },
    ...{ rows: { read: rejected, rejected }, rejectedBy: { r: rejected }, rejects: { uri: 's3://sluice/rejects' } },
  }) as unknown as QuarantineEntry;

/** An object store whose hour 03 has rejected rows without end, as fast as they are taken. */
class EndlessStore {
  sent = 0;
  open = 0;
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (url.includes('list-type')) return void response.end('<ListBucketResult><Name>sluice</Name></ListBucketResult>');
    if (url.includes('2026-11-24T03.json')) return void response.end(JSON.stringify(entry(1e9)));
    if (!url.includes('rejects')) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    this.open += 1;
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const piece = Array.from({ length: 50 }, (_, at) => line(at)).join('');
    while (!response.destroyed) {
      this.sent += piece.length;
      const taken = response.write(piece) || response.destroyed;
      await Promise.race([closed, taken ? new Promise(setImmediate) : once(response, 'drain')]);
    }
    this.open -= 1;
  }
}

describe('M4: reading rejected rows over HTTP', () => {
  const store = new EndlessStore();
  let api: Api;
  let address: string;

  beforeAll(async () => {
    const environment = {
      ...{ TEMPORAL_ADDRESS: '127.0.0.1:1', SLUICE_S3_ENDPOINT: await store.start() },
      ...{ SLUICE_S3_ACCESS_KEY: 'key', SLUICE_S3_SECRET_KEY: 'secret' },
    };
    api = await createApi({ host: '127.0.0.1', hosts: [], rateLimit: 1_000, environment });
    address = await api.listen({ host: '127.0.0.1', port: 0 });
  });

  afterAll(async () => {
    await api.close();
    store.stop();
  });

  const idle = async (): Promise<void> => {
    for (let left = 200; store.open > 0 && left > 0; left--) await sleep(20);
    expect(store.open).toBe(0);
  };

  it.each(['?offset=900000000', '/export.csv'])(
    'ends with who has asked, and leaves no connection behind: %s',
    async (end) => {
      const gone = new AbortController();
      const asked = fetch(`${address}/quarantine/shops/2026-11-24T03${end}`, { signal: gone.signal }).then((answer) =>
        answer.text(),
      );
      while (store.open === 0) await sleep(5);
      gone.abort();
      await expect(asked).rejects.toThrow(/aborted/);
      await idle();
    },
  );

  it('is as fast as who takes an export, and no faster', async () => {
    const answer = await fetch(`${address}/quarantine/shops/2026-11-24T03/export.csv`);
    // Nothing is taken: what was sent stands in buffers on the way, and that is all that is read.
    let before = -1;
    while (store.sent !== before) {
      before = store.sent;
      await sleep(250);
    }
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
    await reader?.cancel();
    await idle();
  });

  it('goes no further than a bound for one page, and says where the rest is', async () => {
    const answer = await fetch(`${address}/quarantine/shops/2026-11-24T03?offset=900000000`);
    expect(answer.status).toBe(422);
    const { detail } = (await answer.json()) as { detail: string };
    expect(detail).toBe(
      'Row 900000001 of the rejected rows of shops 2026-11-24T03:00:00Z lies behind the first 256 MiB, and pages go no further: take all of them with /quarantine/shops/2026-11-24T03/export.csv, or "sluice quarantine show shops --hour 2026-11-24T03 --out FILE".',
    );
    await idle();
  });

  it('gives the rows of a page that it came to before its bound', async () => {
    const lines = [1, 2, 3, 4].map(line);
    const bounded = { keyOf: (uri: string) => uri, stream: async () => Readable.from(lines) };
    const most = Buffer.byteLength(lines.slice(0, 3).join(''));
    const page = (offset: number) =>
      rejectedPage(bounded as unknown as Store, entry(4), { offset, limit: 10, most, shown: ({ row }) => row });
    expect(await page(0)).toEqual({ rows: [1, 2, 3], cut: true });
    expect(await page(3)).toEqual({ rows: [], cut: true });
  });

  it('says that Temporal is away where it alone could know the pipeline', async () => {
    const answer = await fetch(`${address}/quarantine/cafes`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'StackUnavailable' }]);
  });

  it.each([
    ['shops?limit=3&ofset=5', 'there is no parameter "ofset" here; there is limit'],
    ['shops/2026-11-24T03?page=2', 'there is no parameter "page" here; there is offset, limit'],
    ['shops/2026-11-24T03/export.csv?limit=2', 'there is no parameter "limit" here; there are none'],
  ])('refuses what it does not know: %s', async (path, sentence) => {
    const answer = await fetch(`${address}/quarantine/${path}`);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { code: 'RequestInvalid', detail: expect.stringContaining(sentence) as unknown },
    ]);
  });
});
