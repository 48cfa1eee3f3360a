import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { rawFiles, type HourRecord, type ImportResult } from '../../src/definition/refs.ts';
import { definitionSha } from '../../src/stages/hashing.ts';
import { ImportLab } from '../helpers/import-lab.ts';
import { noStack } from '../helpers/stack.ts';

const columns: PipelineInput['columns'] = { id: { name: 'id', required: true }, FILE: { name: 'file' } };
const named = { nameColumn: 'FILE' };

describe.skipIf(noStack)('names of files as a column, on a real object store', () => {
  let lab: ImportLab;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-names-'));
    lab = await ImportLab.start();
    await lab.configure({ SLUICE_FILE_ROOTS: folder });
  });

  afterEach(() => lab.quiet());

  afterAll(async () => {
    await lab.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const names = async (result: ImportResult): Promise<unknown[]> =>
    (await lab.rows(result)).map((row) => [row['id'], row['FILE']]);

  test('stand in each row, whatever the order of a file’s columns, its compression, and folder', async () => {
    const root = join(folder, 'in');
    await mkdir(join(root, 'deep'), { recursive: true });
    await writeFile(join(root, 'a 1.csv'), 'id,name\n1,x\n');
    await writeFile(join(root, 'b.csv.gz'), gzipSync('name;id\ny;2\ny;3\n'));
    await writeFile(join(root, 'deep/c.csv'), 'id\n4\n');
    const at = pathToFileURL(root).href;
    const several = await lab.run(lab.define([`${at}/[ab]*`, `${at}/deep/c.csv`], named, { columns }));
    expect(await names(several)).toEqual([
      ['1', 'a 1.csv'],
      ['2', 'b.csv.gz'],
      ['3', 'b.csv.gz'],
      ['4', 'c.csv'],
    ]);
    expect(several.parsed).toMatchObject({ header: ['id', 'name', 'FILE'], names: ['a 1.csv', 'b.csv.gz', 'c.csv'] });
    expect(several.unknownColumns).toEqual(['name']);
    const one = await lab.run(lab.define(`${at}/a*.csv`, named, { columns }));
    expect(await names(one)).toEqual([['1', 'a 1.csv']]);
  });

  test('are those of the import record where an hour is replayed, also by a definition that asks for them only now', async () => {
    const path = join(folder, 'replayed-7.csv');
    await writeFile(path, 'id\n1\n');
    const before = lab.define(`${pathToFileURL(folder).href}/replayed-*.csv`, {}, { columns: { id: { name: 'id' } } });
    await lab.run(before);
    await rm(path);
    const { source, name } = before;
    const now = lab.define(source.url, { ...source, ...named }, { columns, name });
    const replayed = await lab.run(now);
    expect(replayed.replayed).toBe(true);
    expect(await names(replayed)).toEqual([['1', 'replayed-7.csv']]);
    expect(await names(await lab.run(now))).toEqual([['1', 'replayed-7.csv']]);
  });

  test('are not those that the same bytes had before, and an hour under another name is not unchanged', async () => {
    const host = await lab.serve((_request, response) => response.end('id\n1\n'));
    const one = await lab.run(lab.define(`${host}/one.csv?token=1`, named, { columns }));
    const after = async (path: string): Promise<ImportResult> => {
      const pipeline = lab.define(host + path, named, { columns });
      const hour = '2020-01-01T00:00:00Z';
      const content = { rawSha: one.record.raw.sha256, definitionSha: definitionSha(pipeline) };
      const before: HourRecord = { stream: pipeline.name, hour, generation: 1, rows: 1, ...content };
      await lab.deps.store.createJson(keys.hourRecord(pipeline.name, hour, 1), before);
      return lab.run(pipeline);
    };
    const [same, other] = [await after('/one.csv'), await after('/two.csv')];
    expect([same.sameAs, other.sameAs]).toEqual(['2020-01-01T00:00:00Z', undefined]);
    expect([await names(one), await names(same), await names(other)]).toEqual([
      [['1', 'one.csv']],
      [['1', 'one.csv']],
      [['1', 'two.csv']],
    ]);
    const bytes = ({ record }: ImportResult) => rawFiles(record).map(({ raw }) => raw.sha256);
    expect(bytes(other)).toEqual(bytes(one));
  });

  test('are the last part of the address of pages, CSV and JSON', async () => {
    const host = await lab.serve((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://host').searchParams.get('page'));
      const rows = page > 2 ? [] : [{ id: page }];
      const csv = `id\n${rows.map(({ id }) => `${id}\n`).join('')}`;
      response.end(request.url?.includes('json') === true ? JSON.stringify(rows) : csv);
    });
    const paging = { kind: 'page' } as const;
    const csv = await lab.run(lab.define(`${host}/v1/rows.csv`, { ...named, paging }, { columns }));
    expect(await names(csv)).toEqual([
      ['1', 'rows.csv'],
      ['2', 'rows.csv'],
    ]);
    const answer = { format: 'json' } as const;
    const json = await lab.run(lab.define(`${host}/v1/json/`, { ...named, paging, answer }, { columns }));
    expect(await names(json)).toEqual([
      ['1', 'json'],
      ['2', 'json'],
    ]);
  });

  test('clash with a member of the rows, or a column of one file, in a sentence', async () => {
    const host = await lab.serve((request, response) =>
      response.end(
        request.url === '/b.csv' ? 'id,FILE\n1,x\n' : request.url === '/j' ? '[{"id":1,"FILE":2}]' : 'id\n1\n',
      ),
    );
    const refused = (path: string) => ({
      code: 'SourceMalformed',
      message: `${host}${path} has a column "FILE" of its own: choose another name for source.nameColumn.`,
    });
    const several = lab.define([`${host}/a.csv`, `${host}/b.csv`], named, { columns });
    expect(await lab.failure(lab.run(several))).toMatchObject(refused('/b.csv'));
    const json = lab.define(`${host}/j`, { ...named, answer: { format: 'json' } }, { columns });
    expect(await lab.failure(lab.run(json))).toMatchObject(refused('/j'));
  });
});
