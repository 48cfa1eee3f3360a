import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { keys } from '../../src/definition/names.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import type { HourRecord, ImportResult } from '../../src/definition/refs.ts';
import { decodeParquet, type Row } from '../../src/formats/parquet.ts';
import { unattended, type Progress, type StageDeps } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import type { ParseReject } from '../../src/stages/importing/parse-raw.ts';
import type { ImportInput } from '../../src/stages/io.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const nowHour = toLogicalHour(new Date());
const hoursAgo = (n: number) => toLogicalHour(Date.now() - n * 3_600_000);

describe.skipIf(noStack)('import on a real object store', () => {
  let deps: StageDeps;
  let server: Server | undefined;
  let folder: string;
  let requests: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
    deps = stageDeps((await testStack()).environment, `import-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
  });

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await deps.search.close();
  });

  /** Serves on loopback, and lets the worker go there. */
  async function serve(handler: RequestListener): Promise<string> {
    requests = [];
    const listening = Promise.withResolvers<void>();
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      handler(request, response);
    });
    server.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const { port } = server.address() as AddressInfo;
    deps = { ...deps, settings: { ...deps.settings, sourceAllow: [`127.0.0.1:${port}`] } };
    return `http://127.0.0.1:${port}`;
  }

  const text =
    (body: string): RequestListener =>
    (_request, response) =>
      response.end(body);

  function definition(url: string, more: Partial<PipelineInput> = {}, limits: object = {}): Pipeline {
    return pipelineSchema.parse({
      name: `i-${randomBytes(4).toString('hex')}`,
      source: { url, limits },
      columns: { id: { name: 'id', required: true }, name: { name: 'name' } },
      key: ['id'],
      ...more,
    });
  }

  const run = (pipeline: Pipeline, more: Partial<ImportInput> = {}) =>
    importSource(
      deps,
      { pipeline, hour: nowHour, refetch: false, useCurrent: false, force: false, ...more },
      unattended,
    );

  const failure = async (work: Promise<unknown>): Promise<{ code?: string; message: string }> =>
    work.then(
      () => ({ message: 'it did not fail' }),
      (error: unknown) => error as Error,
    );

  async function parsedRows({ parsed }: ImportResult): Promise<Row[]> {
    const columns = [
      ...parsed.header.map((name) => ({ name, type: 'string' }) as const),
      ...['_file', '_row', '_line', '_offset'].map((name) => ({ name, type: 'integer' }) as const),
    ];
    const parts = await Promise.all(parsed.parts.map((part) => deps.store.fetch(part)));
    return parts.flatMap((bytes) => [...decodeParquet(columns, bytes)].flat());
  }

  test('what was fetched is kept, recorded once, and every row is parsed or rejected with its place', async () => {
    const body = '\uFEFFid,name,extra\r\n1,"two\r\nlines",é\r\n2,too few\r\n3,"bad"quote,x\r\n\r\n4,plain,🙂\r\n';
    const url = await serve((_request, response) => {
      response.setHeader('etag', '"v1"').setHeader('last-modified', 'Tue, 24 Nov 2026 00:00:00 GMT').end(body);
    });
    const pipeline = definition(`${url}/data.csv?token=secret`);
    const progress: Progress[] = [];
    const result = await importSource(
      deps,
      { pipeline, hour: nowHour, refetch: false, useCurrent: false, force: false },
      { signal: new AbortController().signal, progress: (step) => progress.push(step) },
    );
    expect(result.record).toMatchObject({
      n: 1,
      hour: nowHour,
      source: `${url}/data.csv`,
      etag: '"v1"',
      lastModified: 'Tue, 24 Nov 2026 00:00:00 GMT',
      raw: { uri: deps.store.uri(keys.raw(pipeline.name, result.record.raw.sha256)), bytes: Buffer.byteLength(body) },
    });
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(await deps.store.findJson(keys.importRecord(pipeline.name, nowHour, 1))).toEqual(result.record);
    expect((await deps.store.fetch(result.record.raw)).toString()).toBe(body);
    expect(result).toMatchObject({ replayed: false, unknownColumns: ['extra'] });
    expect(result.parsed).toMatchObject({ header: ['id', 'name', 'extra'], rows: { read: 4, parsed: 2, rejected: 2 } });
    const file = result.record.raw.sha256;
    const bytes = Buffer.from(body);
    const rows = await parsedRows(result);
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { id: '1', name: 'two\r\nlines', extra: 'é', _file: '0', _row: '1', _line: '2', _offset: '18' },
      {
        id: '4',
        name: 'plain',
        extra: '🙂',
        _file: '0',
        _row: '4',
        _line: '7',
        _offset: String(bytes.indexOf('4,plain')),
      },
    ]);
    if (!result.parsed.rejects) throw new Error('there should be rejects');
    const rejects = (await deps.store.fetch(result.parsed.rejects)).toString().trim().split('\n');
    expect(rejects.map((line) => JSON.parse(line) as ParseReject)).toEqual([
      {
        file,
        row: 2,
        line: 4,
        byteOffset: bytes.indexOf('2,too'),
        rule: 'width',
        reason: 'the record has 2 fields and the header 3',
        raw: '2,too few',
      },
      {
        file,
        row: 3,
        line: 5,
        byteOffset: bytes.indexOf('3,"bad'),
        rule: 'quotes',
        reason: 'text stands behind a closing quote',
        raw: '3,"bad"quote,x',
      },
    ]);
    expect(progress.some(({ bytes }) => bytes === Buffer.byteLength(body))).toBe(true);
    expect(await readdir(deps.settings.workDir)).toEqual([]);
  });

  test('an hour that was imported is replayed from what was fetched; refetch asks again', async () => {
    let body = 'id,name\n1,a\n';
    const url = await serve((_request, response) => response.end(body));
    const pipeline = definition(`${url}/x.csv`);
    const first = await run(pipeline);
    body = 'id,name\n1,b\n2,c\n';
    const again = await run(pipeline, { useCurrent: true });
    expect(again).toEqual({ ...first, replayed: true });
    expect(requests).toHaveLength(1);
    const refetched = await run(pipeline, { refetch: true });
    expect(refetched).toMatchObject({ replayed: false, record: { n: 2 }, parsed: { rows: { read: 2 } } });
    expect((await run(pipeline)).record).toEqual(refetched.record);
    expect(requests).toHaveLength(2);
  });

  test('the same bytes are parsed once, for whichever pipeline', async () => {
    const body = `id,name\n${randomBytes(8).toString('hex')},a\n`;
    const url = await serve(text(body));
    const [one, two] = [await run(definition(`${url}/x.csv`)), await run(definition(`${url}/y.csv`))];
    expect(two.parsed).toEqual(one.parsed);
    const other = await run(definition(url, { source: { url, format: { quote: "'" } } }));
    expect(other.parsed.parts[0]?.uri).not.toBe(one.parsed.parts[0]?.uri);
  });

  test('a past hour is refused unless current data will do or the address names its hour', async () => {
    const url = await serve(text('id,name\n1,a\n'));
    const hour = hoursAgo(30);
    expect(await failure(run(definition(`${url}/x.csv`), { hour }))).toMatchObject({
      code: 'ImportNotRecorded',
      message: expect.stringMatching(/--use-current/) as unknown,
    });
    expect(requests).toEqual([]);
    expect((await run(definition(`${url}/x.csv`), { hour, useCurrent: true })).record.hour).toBe(hour);
    await run(definition(`${url}/\${hour:YYYY/MM/DD}/\${hour:HH}.csv`), { hour });
    expect(requests.at(-1)).toBe(`/${hour.slice(0, 10).replaceAll('-', '/')}/${hour.slice(11, 13)}.csv`);
  });

  test('an hour is the same as the newest committed one below it, by content and definition', async () => {
    const url = await serve(text('id,name\n1,a\n'));
    const pipeline = definition(`${url}/x.csv`);
    const first = await run(pipeline, { hour: hoursAgo(4), useCurrent: true });
    expect(first.sameAs).toBeUndefined();
    const commit = async (hour: string, generation: number, more: Partial<HourRecord> = {}) => {
      const { definitionSha, record } = first;
      const body: HourRecord = {
        stream: pipeline.name,
        hour,
        generation,
        rawSha: record.raw.sha256,
        definitionSha,
        rows: 1,
        ...more,
      };
      await deps.store.createJson(keys.hourRecord(pipeline.name, hour, generation), body);
    };
    await commit(hoursAgo(4), 1, { batch: 'b' });
    await commit(hoursAgo(3), 1, { rawSha: 'other' });
    await commit(hoursAgo(3), 2, { sameAs: hoursAgo(4) });
    await commit(toLogicalHour(Date.now() + 3_600_000), 1, { rawSha: 'later' });
    // Without the guards, each of these would be taken for unchanged.
    expect((await run({ ...pipeline }, { hour: hoursAgo(2), useCurrent: true })).sameAs).toBeUndefined();
    expect((await run(pipeline)).sameAs).toBe(hoursAgo(4));
    expect((await run(pipeline)).sameAs).toBeUndefined();
    const fresh = async (change: Partial<Pipeline>, force = false) => {
      const hour = toLogicalHour(Date.now() + 1_800_000);
      await deps.store.remove([
        keys.importRecord(pipeline.name, hour, 1),
        keys.importRecord(pipeline.name, nowHour, 1),
      ]);
      return (await run({ ...pipeline, ...change }, { force })).sameAs;
    };
    expect(await fresh({}, true)).toBeUndefined();
    expect(await fresh({ key: [] })).toBeUndefined();
    expect(await fresh({ retries: { ...pipeline.retries, attempts: 9 } })).toBe(hoursAgo(4));
  });

  test.each([
    [404, 'SourceNotFound'],
    [410, 'SourceNotFound'],
    [401, 'SourceForbidden'],
    [403, 'SourceForbidden'],
    [429, 'SourceUnavailable'],
    [503, 'SourceUnavailable'],
  ])('status %i is %s', async (status, code) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    const error = await failure(run(definition(`${url}/x.csv?token=secret`)));
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(`${url}/x.csv answers ${status}`) as unknown,
    });
    expect(error.message).not.toContain('token');
  });

  test.each([
    ['an HTML page', '<!DOCTYPE html><title>x</title>', 'SourceNotCsv'],
    ['JSON', '{"a": 1}', 'SourceNotCsv'],
    ['nothing', '', 'SourceEmpty'],
    ['blank lines', '\n\r\n \n', 'SourceEmpty'],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10]), 'SourceNotCsv'],
    ['a header that is not UTF-8', Buffer.from([0x69, 0x64, 0x2c, 0xe9, 10]), 'SourceMalformed'],
  ])('%s leaves no record behind', async (_name, body, code) => {
    const url = await serve((_request, response) => response.end(body));
    const pipeline = definition(`${url}/x.csv`);
    expect(await failure(run(pipeline))).toMatchObject({ code });
    expect(await deps.store.lastKey(keys.imports(pipeline.name, nowHour))).toBeUndefined();
  });

  test('a missing column fails, but what was fetched is kept for a corrected definition', async () => {
    const url = await serve(text('ident,name\n1,a\n'));
    const pipeline = definition(`${url}/x.csv`);
    expect(await failure(run(pipeline))).toMatchObject({
      code: 'SourceColumnMissing',
      message: expect.stringContaining('has no column "id"; its header is "ident", "name"') as unknown,
    });
    const corrected = { ...pipeline, columns: definition(url, { columns: { ident: { name: 'id' } } }).columns };
    expect(await run(corrected)).toMatchObject({ replayed: true, unknownColumns: ['name'] });
    expect(requests).toHaveLength(1);
  });

  test('a body shorter than declared, a cut one, a slow one and a large one', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/short') {
        response.writeHead(200, { 'content-length': 1_000 });
        response.write('id,name\n1,a\n');
        setTimeout(() => response.socket?.destroy(), 50);
      } else if (request.url === '/chunked') {
        response.write('id,name\n1,a\n');
        setTimeout(() => response.socket?.destroy(), 50);
      } else if (request.url === '/idle') {
        response.write('id,name\n1,a\n');
      } else if (request.url === '/silent') {
        // No answer at all.
      } else if (request.url === '/large') {
        response.end(`id,name\n${'1,a\n'.repeat(1_000)}`);
      } else {
        response.write('id,name\n');
        const drip = setInterval(() => response.write('1,a\n'), 100);
        response.on('close', () => clearInterval(drip));
      }
    });
    const attempt = (path: string, limits = {}) => failure(run(definition(url + path, {}, limits)));
    expect(await attempt('/short')).toMatchObject({
      code: 'SourceLengthWrong',
      message: expect.stringContaining('declared 1000 bytes (Content-Length) and sent 12') as unknown,
    });
    expect(await attempt('/chunked')).toMatchObject({ code: 'SourceCut' });
    expect(await attempt('/idle', { idleSeconds: 1 })).toMatchObject({
      code: 'SourceStalled',
      message: expect.stringContaining('no byte for 1 s') as unknown,
    });
    expect(await attempt('/silent', { idleSeconds: 1 })).toMatchObject({ code: 'SourceStalled' });
    expect(await attempt('/drip', { seconds: 1 })).toMatchObject({
      code: 'SourceTooSlow',
      message: expect.stringContaining('limits.seconds') as unknown,
    });
    expect(await attempt('/large', { bytes: 1_000 })).toMatchObject({ code: 'SourceTooLarge' });
    expect(await attempt('/large', { rows: 999 })).toMatchObject({ code: 'SourceTooLarge' });
    expect((await run(definition(`${url}/large`, {}, { rows: 1_000 }))).parsed.rows.read).toBe(1_000);
  });

  test('redirects are followed, counted and checked at every hop', async () => {
    const url = await serve((request, response) => {
      const to: Record<string, string> = {
        '/a': '/b',
        '/b': '/x.csv',
        '/loop': '/loop',
        '/inside': 'http://127.0.0.2:9/',
        '/file': 'file:///etc/passwd',
      };
      const location = to[request.url ?? ''];
      if (location === undefined) response.end('id,name\n1,a\n');
      else response.writeHead(302, { location }).end();
    });
    expect((await run(definition(`${url}/a`))).parsed.rows.read).toBe(1);
    expect(await failure(run(definition(`${url}/a`, {}, { redirects: 1 })))).toMatchObject({
      code: 'SourceRedirects',
    });
    expect(await failure(run(definition(`${url}/loop`)))).toMatchObject({ code: 'SourceRedirects' });
    expect(await failure(run(definition(`${url}/inside`)))).toMatchObject({ code: 'SourceAddressRefused' });
    expect(await failure(run(definition(`${url}/file`)))).toMatchObject({ code: 'SourceAddressRefused' });
  });

  test('loopback is refused where it is not allowed, by number and by name', async () => {
    const url = await serve(text('id,name\n'));
    deps = { ...deps, settings: { ...deps.settings, sourceAllow: [] } };
    expect(await failure(run(definition(url)))).toMatchObject({ code: 'SourceAddressRefused' });
    expect(await failure(run(definition(url.replace('127.0.0.1', 'localhost'))))).toMatchObject({
      code: 'SourceAddressRefused',
    });
    expect(requests).toEqual([]);
  });

  test('a file source lies below a root, by where its links lead', async () => {
    await writeFile(join(folder, 'x.csv'), 'id,name\n1,a\n');
    await symlink(process.execPath, join(folder, 'link.csv'));
    const below = (name: string, roots = [folder]) => {
      deps = { ...deps, settings: { ...deps.settings, fileRoots: roots } };
      return run(definition(pathToFileURL(join(folder, name)).href));
    };
    expect((await below('x.csv')).parsed.rows.read).toBe(1);
    expect(await failure(below('x.csv', []))).toMatchObject({ code: 'SourceAddressRefused' });
    expect(await failure(below('link.csv'))).toMatchObject({ code: 'SourceAddressRefused' });
    expect(await failure(below('none.csv'))).toMatchObject({ code: 'SourceNotFound' });
  });

  test('an import that is cancelled stops and leaves nothing behind', async () => {
    const url = await serve((_request, response) => {
      response.write('id,name\n');
      const drip = setInterval(() => response.write('1,a\n'.repeat(2_000)), 20);
      response.on('close', () => clearInterval(drip));
    });
    const stop = new AbortController();
    const pipeline = definition(url);
    const work = importSource(
      deps,
      { pipeline, hour: nowHour, refetch: false, useCurrent: false, force: false },
      {
        signal: stop.signal,
        progress: ({ bytes = 0 }) => bytes > 20_000 && stop.abort(new Error('stopped by the test')),
      },
    );
    await expect(work).rejects.toThrow(/stopped by the test|aborted/);
    expect(await deps.store.lastKey(keys.imports(pipeline.name, nowHour))).toBeUndefined();
  });

  test('the real file: every row is parsed', async () => {
    const file = new URL('../../pipelines/data/broadband_data_zipcode.csv', import.meta.url);
    const body = await readFile(file);
    const url = await serve((_request, response) => response.end(body));
    const result = await run(
      definition(url, {
        columns: { 'POSTAL CODE': { name: 'zip', pad: 5 }, 'COUNTY ID': { name: 'county_id', pad: 5 } },
        key: ['zip'],
      }),
    );
    expect(result.parsed.rows).toEqual({ read: 32_735, parsed: 32_735, rejected: 0 });
    const last = (await parsedRows(result)).at(-1);
    expect(body.subarray(Number(last?.['_offset'])).toString()).toContain(`,${String(last?.['POSTAL CODE'])},`);
    expect(last?.['_line']).toBe('32736');
  });
});
