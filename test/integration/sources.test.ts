import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rawFiles } from '../../src/definition/refs.ts';
import { SourceBucket } from '../../src/connectors/source-bucket.ts';
import { ImportLab } from '../helpers/import-lab.ts';
import { noSshd, startSftp, type SftpServer } from '../helpers/sftp-server.ts';
import { noStack } from '../helpers/stack.ts';

const small = 'id,name\n1,a\n2,b\n';

describe.skipIf(noStack)('sources', () => {
  let lab: ImportLab;
  let folder: string;
  beforeAll(async () => {
    lab = await ImportLab.start();
    folder = await mkdtemp(join(tmpdir(), 'sluice-sources-'));
  });
  afterEach(() => lab.quiet());
  afterAll(async () => {
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe('over http', () => {
    test('query, headers and body go along, with the hour in them', async () => {
      const url = await lab.serve((_request, response) => response.end(small));
      const source = {
        ...{ method: 'POST' as const, headers: { 'X-Api': 'v2' }, query: { day: '${hour:YYYY-MM-DD}', page: 'a b' } },
        body: { hour: '${hour:HH}', list: [1, 2] },
      };
      const hour = '2026-11-20T05:00:00Z';
      await lab.run(lab.define(`${url}/x.csv?a=1`, source), { hour });
      expect(lab.seen[0]).toMatchObject({
        method: 'POST',
        url: '/x.csv?a=1&day=2026-11-20&page=a+b',
        body: '{"hour":"05","list":[1,2]}',
        headers: { 'x-api': 'v2', 'content-type': 'application/json' },
      });
    });

    test('several addresses are one source, and each file is accounted for by name', async () => {
      const url = await lab.serve((request, response) => {
        const files: Record<string, string> = {
          '/one.csv': 'id,name\n1,a\n2,b,c\n',
          // Other order, another delimiter, one column more.
          '/two.csv': 'name;more;id\nx;y;3\n',
          '/same.csv': 'id,name\n1,a\n2,b,c\n',
        };
        response.end(files[request.url ?? '']);
      });
      const result = await lab.run(lab.define(['one', 'two', 'same'].map((name) => `${url}/${name}.csv`)));
      expect(rawFiles(result.record).map(({ name }) => name)).toEqual(
        ['one', 'two', 'same'].map((name) => `${url}/${name}.csv`),
      );
      expect(result.record.source).toBe(`${url}/one.csv and 2 more`);
      expect(result.parsed).toMatchObject({
        header: ['id', 'name', 'more'],
        rows: { read: 5, parsed: 3, rejected: 2 },
        files: [
          { rows: { read: 2, parsed: 1, rejected: 1 } },
          { rows: { read: 1, parsed: 1, rejected: 0 }, format: 'utf-8, delimiter ";", header on line 1' },
          { rows: { read: 2, parsed: 1, rejected: 1 } },
        ],
      });
      const [one, , same] = result.parsed.files;
      // The same bytes twice are two files, and their rows different rows.
      expect(same?.file).toBe(`${one?.file}#2`);
      expect(
        (await lab.rows(result)).map((row) => [
          row['id'],
          row['name'],
          row['more'],
          row['_file'],
          row['_row'],
          row['_line'],
        ]),
      ).toEqual([
        ['1', 'a', '', '0', '1', '2'],
        ['3', 'x', 'y', '1', '3', '2'],
        ['1', 'a', '', '2', '4', '2'],
      ]);
      if (!result.parsed.rejects) throw new Error('there should be rejects');
      const rejects = (await lab.deps.store.fetch(result.parsed.rejects)).toString().trim().split('\n');
      expect(rejects.map((line) => JSON.parse(line) as { file: string; row: number })).toMatchObject([
        { file: one?.file, row: 2, line: 3 },
        { file: same?.file, row: 5, line: 3 },
      ]);
    });

    test('a page of a code host is read as the file itself, and says so', async () => {
      const { targetsOf } = await import('../../src/stages/importing/targets.ts');
      const page = 'https://github.com/o/r/blob/main/x.csv';
      const context = { signal: new AbortController().signal, progress: () => {} };
      const [target] = await targetsOf(lab.deps, lab.define(page), lab.hour, context);
      expect(target).toMatchObject({
        name: page,
        notes: [
          `${page} is a page about a file; the file itself was fetched from https://raw.githubusercontent.com/o/r/main/x.csv.`,
        ],
      });
      expect(target?.url.href).toBe('https://raw.githubusercontent.com/o/r/main/x.csv');
    });
  });

  describe('an API', () => {
    const item = (id: number) => ({ id, name: `n${id}`, at: { city: 'Köln', zip: null }, tags: ['a', 1.1], big: 1 });
    const answer = (ids: number[], more: object = {}) =>
      JSON.stringify({ data: { items: ids.map(item) }, ...more }).replaceAll('"big":1', '"big":9007199254740993.10');

    test('by cursor: rows of all pages, numbers as they were written', async () => {
      const url = await lab.serve((request, response) => {
        const cursor = new URL(request.url ?? '', 'http://x').searchParams.get('after');
        const next: Record<string, string> = { '': 'p2', p2: 'p3' };
        response.end(
          answer(cursor === null ? [1, 2] : cursor === 'p2' ? [3] : [4], {
            meta: { next: next[cursor ?? ''] ?? null },
          }),
        );
      });
      const result = await lab.run(
        lab.define(`${url}/rows`, {
          answer: { format: 'json', rows: 'data.items' },
          paging: { kind: 'cursor', field: 'meta.next', parameter: 'after' },
        }),
      );
      expect(lab.seen.map(({ url: asked }) => asked)).toEqual(['/rows', '/rows?after=p2', '/rows?after=p3']);
      expect(result.parsed).toMatchObject({ rows: { read: 4, parsed: 4 }, files: [{ format: 'JSON in 3 pages' }] });
      expect(rawFiles(result.record)[0]?.pages).toHaveLength(3);
      expect((await lab.rows(result))[2]).toMatchObject({
        ...{ id: '3', name: 'n3', 'at.city': 'Köln', 'at.zip': '', tags: '["a",1.1]', big: '9007199254740993.10' },
        ...{ _row: '3', _line: '1' },
      });
      // Replayed from what was fetched, without a request.
      const again = await lab.run({
        ...lab.define(url),
        name: result.record.pipeline,
        source: lab.define(url, { answer: { format: 'json', rows: 'data.items' } }).source,
      });
      expect(again).toMatchObject({ replayed: true, parsed: { rows: { parsed: 4 } } });
      expect(lab.seen).toHaveLength(3);
    });

    test('by number, until a page is empty; by Link header', async () => {
      const url = await lab.serve((request, response) => {
        const asked = new URL(request.url ?? '', 'http://x');
        const page = Number(asked.searchParams.get('page') ?? '1');
        if (asked.pathname === '/link' && page < 3)
          response.setHeader('link', `<${url}/first>; rel="first", </link?page=${page + 1}>; rel="next"`);
        if (asked.pathname === '/numbers') response.end(JSON.stringify(page <= 2 ? [{ id: page, name: 'a' }] : []));
        else response.end(`id,name\n${page},a\n`);
      });
      const json = await lab.run(
        lab.define(`${url}/numbers`, { answer: { format: 'json' }, paging: { kind: 'page' } }),
      );
      expect(json.parsed.rows.parsed).toBe(2);
      expect(lab.seen.map((seen) => seen.url)).toEqual(['/numbers?page=1', '/numbers?page=2', '/numbers?page=3']);
      const csv = await lab.run(lab.define(`${url}/link`, { paging: { kind: 'link' } }));
      expect(csv.parsed.rows).toEqual({ read: 3, parsed: 3, rejected: 0 });
      expect(rawFiles(csv.record).map(({ name }) => name)).toEqual(
        [1, 2, 3].map((page) => `${url}/link, page ${page}`),
      );
    });

    test('pages without end, another host as the next page, and answers that are none', async () => {
      const url = await lab.serve((request, response) => {
        const path = new URL(request.url ?? '', 'http://x').pathname;
        if (path === '/same') response.end('[{"id":1,"name":"a"}]');
        if (path === '/self') response.end('{"rows":[{"id":1}],"next":"x"}');
        if (path === '/away') response.setHeader('link', '<https://example.org/2>; rel=next').end(small);
        if (path === '/html') response.end('<html></html>');
        if (path === '/object') response.end('{"rows":{}}');
        if (path === '/mixed') response.end('[{"id":1,"name":"a"},7,null,{"id":2}]');
      });
      const json = { answer: { format: 'json' as const } };
      const told = async (path: string, source: object) => lab.failure(lab.run(lab.define(url + path, source)));
      expect(await told('/same', { ...json, paging: { kind: 'page' } })).toMatchObject({
        code: 'SourceMalformed',
        message: expect.stringContaining('page 2 is one that came before') as unknown,
      });
      const self = {
        answer: { format: 'json', rows: 'rows' },
        paging: { kind: 'cursor', field: 'next', parameter: 'c' },
      };
      expect(await told('/self', self)).toMatchObject({ code: 'SourceMalformed' });
      expect(await told('/away', { paging: { kind: 'link' } })).toMatchObject({ code: 'SourceAddressRefused' });
      expect(await told('/html', json)).toMatchObject({
        code: 'SourceNotCsv',
        message: expect.stringContaining('is not JSON (it begins with <html>') as unknown,
      });
      expect(await told('/object', { answer: { format: 'json', rows: 'rows' } })).toMatchObject({
        code: 'SourceNotCsv',
        message: expect.stringContaining('a list of objects is needed') as unknown,
      });
      const mixed = await lab.run(lab.define(`${url}/mixed`, json));
      expect(mixed.parsed).toMatchObject({ rows: { read: 4, parsed: 2, rejected: 2 }, rejectedBy: { shape: 2 } });
    });
  });

  describe('files and objects', () => {
    test('a glob takes what it matches, by name, and nothing outside of the roots', async () => {
      const root = join(folder, 'root');
      await mkdir(join(root, 'deep'), { recursive: true });
      for (const name of ['b.csv', 'a.csv', 'c.txt', 'deep/d.csv'])
        await writeFile(join(root, name), `id,name\n${name.length},x\n`);
      await writeFile(join(folder, 'secret.csv'), small);
      await symlink(join(folder, 'secret.csv'), join(root, 'z.csv'));
      await lab.configure({ SLUICE_FILE_ROOTS: root });
      const at = (pattern: string) => `${pathToFileURL(root).href}/${pattern}`;
      const named = async (pattern: string) =>
        rawFiles((await lab.run(lab.define(at(pattern)))).record).map(({ name }) => name.split('/root/')[1]);
      expect(await named('?.csv').catch((error: Error) => error.message)).toContain('below none of the folders');
      await rm(join(root, 'z.csv'));
      expect(await named('?.csv')).toEqual(['a.csv', 'b.csv']);
      expect(await named('**/*.csv')).toEqual(['a.csv', 'b.csv', 'deep/d.csv']);
      expect(await lab.failure(lab.run(lab.define(at('*.none'))))).toMatchObject({
        code: 'SourceNotFound',
        message: expect.stringContaining('matches no file') as unknown,
      });
      expect(await lab.failure(lab.run(lab.define(at('../*.csv'))))).toMatchObject({ code: 'SourceAddressRefused' });
      expect(await lab.failure(lab.run(lab.define(at('*'), { limits: { files: 2 } })))).toMatchObject({
        code: 'SourceTooLarge',
      });
    });

    test('objects below a root, by name and by pattern; not those beside it', async () => {
      const { bucket } = lab.deps.store;
      for (const key of ['in/a.csv', 'in/b 1.csv', 'in/c.txt', 'inner/x.csv'])
        await lab.deps.store.put(key, Buffer.from(`id,name\n${key.length},x\n`));
      await lab.configure({ SLUICE_S3_ROOTS: `s3://${bucket}/in/` });
      const one = await lab.run(lab.define(`s3://${bucket}/in/a.csv`));
      expect(one.record).toMatchObject({ source: `s3://${bucket}/in/a.csv` });
      expect(one.record.etag).toMatch(/^[0-9a-f]{32}$/);
      const some = await lab.run(lab.define(`s3://${bucket}/in/*.csv`));
      expect(rawFiles(some.record).map(({ name }) => name)).toEqual([
        `s3://${bucket}/in/a.csv`,
        `s3://${bucket}/in/b 1.csv`,
      ]);
      expect(await lab.failure(lab.run(lab.define(`s3://${bucket}/inner/x.csv`)))).toMatchObject({
        code: 'SourceAddressRefused',
      });
      expect(await lab.failure(lab.run(lab.define(`s3://${bucket}/in/none.csv`)))).toMatchObject({
        code: 'SourceNotFound',
      });
      expect(await lab.failure(lab.run(lab.define(`s3://other/in/a.csv`)))).toMatchObject({
        code: 'SourceAddressRefused',
      });
      const source = new SourceBucket(lab.deps.settings.store);
      const object = await source.stat(bucket, 'in/a.csv');
      expect(Buffer.concat(await Readable.from(await source.read(bucket, object, 8)).toArray()).toString()).toBe(
        '8,x\n',
      );
    });
  });

  describe.skipIf(noSshd)('sftp', () => {
    let server: SftpServer;
    beforeAll(async () => {
      server = await startSftp();
      await writeFile(join(server.folder, 'x.csv'), small);
      await writeFile(join(server.folder, 'y 2.csv'), 'id,name\n3,c\n');
      await mkdir(join(server.folder, 'sub'));
      await writeFile(join(server.folder, 'sub', 'z.csv'), 'id,name\n4,d\n');
    });
    afterAll(() => server.stop());

    const source = (more: object = {}) => ({
      sftp: { user: server.user, privateKey: '${secret:SFTP_KEY}', hostKey: server.hostKey, ...more },
    });
    const address = (name: string) => `sftp://${server.host}:${server.port}${server.folder}/${name}`;
    const settings = (more: Record<string, string> = {}) =>
      lab.configure({
        SLUICE_SECRET_SFTP_KEY: server.privateKey,
        SLUICE_SECRET_SFTP_KEY_HOSTS: `${server.host}:${server.port}`,
        ...more,
      });

    test('a file, and a pattern, of a server whose key is declared or known', async () => {
      lab.allow(`${server.host}:${server.port}`);
      await settings();
      const one = await lab.run(lab.define(address('x.csv'), source()));
      expect(one).toMatchObject({ record: { source: address('x.csv') }, parsed: { rows: { parsed: 2 } } });
      const some = await lab.run(lab.define(address('**/*.csv'), source()));
      expect(some.parsed.files).toHaveLength(3);
      const known = join(folder, 'known_hosts');
      await writeFile(known, `# ours\n${server.knownHost}\n`);
      await settings({ SLUICE_SSH_KNOWN_HOSTS: known });
      expect((await lab.run(lab.define(address('y 2.csv'), source({ hostKey: undefined })))).parsed.rows.parsed).toBe(
        1,
      );
      await appendFile(known, `@revoked ${server.knownHost}\n`);
      expect(await lab.failure(lab.run(lab.define(address('x.csv'), source({ hostKey: undefined }))))).toMatchObject({
        code: 'SourceHostKey',
      });
    });

    test('a key that is not known, a file that is not there, a user that is not let in', async () => {
      lab.allow(`${server.host}:${server.port}`);
      await settings();
      const told = (name: string, more: object) => lab.failure(lab.run(lab.define(address(name), source(more))));
      expect(await told('x.csv', { hostKey: undefined })).toMatchObject({
        code: 'SourceHostKey',
        message: expect.stringContaining(`shows the key ${server.hostKey}, and no key is known`) as unknown,
      });
      expect(await told('x.csv', { hostKey: `SHA256:${'A'.repeat(43)}` })).toMatchObject({
        code: 'SourceHostKey',
        message: expect.stringContaining('somebody may stand between') as unknown,
      });
      expect(await told('none.csv', {})).toMatchObject({ code: 'SourceNotFound' });
      expect(await told('x.csv', { user: 'nobody-here' })).toMatchObject({ code: 'SourceForbidden' });
      expect(await told('sub', {})).toMatchObject({
        code: 'SourceNotFound',
        message: expect.stringContaining('is not a file') as unknown,
      });
    });

    test('loopback is refused where it is not allowed, and the secret stays here', async () => {
      await settings();
      expect(await lab.failure(lab.run(lab.define(address('x.csv'), source())))).toMatchObject({
        code: 'SourceAddressRefused',
      });
      await lab.configure({
        SLUICE_SECRET_SFTP_KEY: server.privateKey,
        SLUICE_SECRET_SFTP_KEY_HOSTS: 'elsewhere.example:22',
      });
      const error = await lab.failure(lab.run(lab.define(address('x.csv'), source())));
      expect(error).toMatchObject({ code: 'SecretRefused' });
      expect(error.message).not.toContain('PRIVATE KEY');
    });
  });
});
