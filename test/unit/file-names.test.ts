import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseDefinition } from '../../src/definition/parse.ts';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { cleanFile } from '../../src/inspecting/clean-file.ts';
import { unattended } from '../../src/stages/deps.ts';
import { fileNameOf } from '../../src/stages/importing/file-name.ts';
import { positionOf } from '../../src/stages/importing/header.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-names-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the name of a file', () => {
  it.each([
    ['https://a.example/data/2019%20November.csv', '2019 November.csv'],
    ['https://a.example/v1/rows/', 'rows'],
    ['https://a.example/', 'a.example'],
    ['https://a.example/v1/rows, page 12', 'rows'],
    ['https://a.example/100%.csv', '100%.csv'],
    ['sftp://a.example:22/in/Gr%C3%B6%C3%9Fe.csv.gz', 'Größe.csv.gz'],
    ['s3://bucket/in/b 1.csv', 'b 1.csv'],
    ['file:///data/no%23 1%3F.csv', 'no# 1?.csv'],
    ['file:///data/x, page 2', 'x, page 2'],
    ['in/2020%20.csv', '2020%20.csv'],
    ['in.csv', 'in.csv'],
  ])('of %s is %s', (address, name) => {
    expect(fileNameOf(address)).toBe(name);
  });
});

const sound: PipelineInput = {
  name: 'p',
  source: { url: 'https://example.org/a.csv', nameColumn: 'FILE' },
  columns: { ID: { name: 'id', required: true }, FILE: { name: 'file' } },
  key: ['id'],
};

describe('a definition that asks for names', () => {
  const said = (source: Partial<PipelineInput['source']>, columns: PipelineInput['columns'] = sound.columns) => {
    const parsed = parseDefinition(stringify({ ...sound, source: { ...sound.source, ...source }, columns }));
    return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
  };

  it('has a column that takes them, by a name that nothing else has', () => {
    expect(said({})).toEqual([]);
    expect(said({}, { ID: { name: 'id', required: true }, 'FILE ': { name: 'file' } })).toEqual([]);
    expect(said({}, { ID: { name: 'id', required: true } })).toEqual([
      'source.nameColumn: is named by no column: add "FILE" to the columns, or take this out',
    ]);
    expect(said({ nameColumn: '_file' })[0]).toContain('a name that Sluice uses itself');
    expect(said({ nameColumn: '#2' })[0]).toContain('means a column by its place');
    expect(said({ nameColumn: ' FILE' })[0]).toContain('must not be blank');
    expect(said({ format: { header: ['ID', 'FILE'] } })[0]).toContain('also a column of source.format.header');
  });

  it('has no number for it: a file that has lost a column is found out', () => {
    expect(positionOf(['A', 'B', 'FILE'], '#3', 1)).toBe(-1);
    expect(positionOf(['A', 'B', 'FILE'], '#2', 1)).toBe(1);
    expect(positionOf(['A', 'B', 'FILE'], 'FILE', 1)).toBe(2);
  });
});

describe('a file cleaned with its name as a column', () => {
  async function cleaned(text: string, definition: Partial<PipelineInput>, fixes?: object) {
    const own = await mkdtemp(join(folder, 'case-'));
    const path = join(own, 'raw');
    await writeFile(path, text);
    const overlay = join(own, 'fixes.ndjson');
    if (fixes) await writeFile(overlay, JSON.stringify(fixes));
    const pipeline = pipelineSchema.parse({ ...sound, engine: 'duckdb', ...definition });
    const given = { path, where: 'in/2020October.csv', pipeline, hour: '2026-01-01T00:00:00Z' };
    const out = join(own, 'out');
    await cleanFile({ ...given, fixes: fixes && overlay, out, folder: own }, unattended);
    const read = (name: string) => readFile(join(out, name), 'utf8');
    return { clean: await read('clean.csv'), rejects: await read('rejects.ndjson') };
  }

  it('finds its header below notes, and a date in the name', async () => {
    const columns: PipelineInput['columns'] = {
      ID: { name: 'id', required: true },
      FILE: { name: 'date', type: 'date', replace: [{ find: '.csv', with: '-01' }], formats: ['YYYYMMMM-DD'] },
    };
    const { clean } = await cleaned('A note\nAnother,one\nID,N\n7,1\n8,2\n', { columns });
    expect(clean).toBe('id,date\n7,2020-10-01\n8,2020-10-01\n');
  });

  it('works where the file has no header', async () => {
    const columns: PipelineInput['columns'] = { '#1': { name: 'id', required: true }, FILE: { name: 'file' } };
    const source = { ...sound.source, format: { headerRows: 0 } };
    expect((await cleaned('7,1\n8,2\n', { source, columns })).clean).toBe(
      'id,file\n7,2020October.csv\n8,2020October.csv\n',
    );
  });

  it('refuses a file that has such a column of its own', async () => {
    await expect(cleaned('ID,FILE\n7,x\n', {})).rejects.toMatchObject({
      code: 'SourceMalformed',
      message: 'in/2020October.csv has a column "FILE" of its own: choose another name for source.nameColumn.',
    });
  });

  it('does not show the name in the text of a rejected row, and knows it of a row that an overlay mends', async () => {
    const columns: PipelineInput['columns'] = { ID: { name: 'id', type: 'integer' }, FILE: { name: 'file' } };
    const text = 'ID,N\n7,1\nx,2\n9\n';
    const { rejects } = await cleaned(text, { columns });
    const found = rejects.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { raw: string }]));
    expect(found.map(({ raw }) => raw)).toEqual(['9', 'x,2']);
    const { file } = JSON.parse(rejects.split('\n')[0] ?? '') as { file: string };
    const mended = await cleaned(text, { columns }, { file, byteOffset: 13, set: { ID: '9' } });
    expect(mended.clean).toBe('id,file\n7,2020October.csv\n9,2020October.csv\n');
  });
});
