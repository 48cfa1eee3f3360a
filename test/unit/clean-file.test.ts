import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { cleanFile } from '../../src/inspecting/clean-file.ts';
import { unattended } from '../../src/stages/deps.ts';
import { runExample } from '../helpers/doc-examples.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-clean-file-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const cleaned = (yaml: string, input: string) =>
  runExample({ name: '', yaml, says: { 'in.csv': input } }, 'duckdb', folder);

/** @param engine As the definition has it. @param fixes Places, and the texts that are set there. */
async function mended(yaml: string, input: string, fixes: readonly [number, object][], engine: Pipeline['engine']) {
  const file = createHash('sha256').update(input).digest('hex');
  const lines = fixes.map(([byteOffset, set]) => `${JSON.stringify({ file, byteOffset, set })}\n`);
  const says = { 'in.csv': input, 'fixes.ndjson': lines.join('') };
  return runExample({ name: '', yaml, says }, engine, folder);
}

const numbers = (type: string, measures: string): string => `
columns:
  ID: { name: id, required: true }
  N: { name: n, ${type} }
key: [id]
aggregate: [{ name: all, groupBy: [id], measures: { found: ${measures} } }]
`;

describe('aggregates', () => {
  it('have an exact mean where a double has no room for it', async () => {
    const decimals = numbers('type: decimal, precision: 18, scale: 9', '{ mean: n }');
    expect(await cleaned(decimals, 'ID,N\na,123456789.123456789\nb,-123456789.123456789\n')).toMatchObject({
      'all.csv': 'id,found\na,123456789.123456789\nb,-123456789.123456789\n',
    });
    const integers = numbers('type: integer', '{ mean: n }');
    expect(await cleaned(integers, 'ID,N\na,9223372036854775807\nb,\n')).toMatchObject({
      'all.csv': 'id,found\na,9223372036854775807\nb,\n',
    });
  });

  it('round a mean once, whatever the scale of the column', async () => {
    const yaml = numbers('type: decimal, precision: 20, scale: 12', '{ mean: n }').replace(
      'key: [id]',
      'duplicates: { exact: false }',
    );
    // 1.4 billionths in all: rounded one by one they would be two.
    const rows = ['0.000000000600', '0.000000000600', '0.000000000200'].map((value) => `a,${value}\n`);
    expect(await cleaned(yaml, `ID,N\n${rows.join('')}`)).toMatchObject({ 'all.csv': 'id,found\na,0\n' });
  });

  it('refuse a sum that has no room in 64 bits, before anything is published', async () => {
    const yaml = numbers('type: integer', '{ sum: n }').replace('key: [id]', '');
    const { error } = await cleaned(yaml, 'ID,N\na,9223372036854775807\na,1\n');
    expect(error).toMatch(/^EngineFailed: .*out of range.*INT64/);
  });

  it('do not write over what they are made of, whatever they are called', async () => {
    const yaml = (name: string): string => `
columns: { ID: { name: id, required: true } }
key: [id]
duplicates: { acrossRuns: true }
derive: { twice: { expression: id + id } }
aggregate: [{ name: ${name}, groupBy: [twice], measures: { n: { count: '*' } } }]
`;
    for (const name of ['derived', 'unseen', 'main_rows']) {
      expect(await cleaned(yaml(name), 'ID\na\nb\n')).toMatchObject({
        'clean.csv': 'id,twice\na,aa\nb,bb\n',
        [`${name}.csv`]: 'twice,n\naa,1\nbb,1\n',
      });
    }
    expect((await cleaned(yaml('clean'), 'ID\na\n'))['error']).toContain('"clean" is taken');
  });

  it('ask for fewer digits where a sum would not fit', async () => {
    for (const measure of ['sum', 'mean']) {
      const { error } = await cleaned(numbers('type: decimal, precision: 29', `{ ${measure}: n }`), 'ID,N\n');
      expect(error).toContain(`measures.found.${measure}: needs a precision of 28 digits or fewer`);
    }
  });
});

describe('columns that are carried along', () => {
  it('stand behind the declared ones though they are called 2020, and keep their letters', async () => {
    const yaml = 'columns: { ID: { name: id, required: true } }\nkey: [id]\ncontract: { columns: evolve }\n';
    expect(await cleaned(yaml, 'ID,Größe (m²),2020\na,x,1\n')).toMatchObject({
      'clean.csv': 'id,grosse_m2,column_2020\na,x,1\n',
    });
  });

  it('may be called like something that every object has', async () => {
    const yaml = 'columns: { ID: { name: id, required: true } }\nkey: [id]\ncontract: { columns: evolve }\n';
    expect(await cleaned(yaml, 'ID,Constructor,__proto__\na,x,y\n')).toMatchObject({
      'clean.csv': 'id,constructor,proto\na,x,y\n',
    });
  });
});

describe('results', () => {
  it('are put in place all together or not at all', async () => {
    const own = await mkdtemp(join(folder, 'results-'));
    const [path, out] = [join(own, 'in.csv'), join(own, 'out')];
    await writeFile(path, 'ID\na\n');
    await mkdir(join(out, 'report.html'), { recursive: true });
    const pipeline = acceptDefinition({
      name: 'p',
      source: { url: 'https://example.org/in.csv' },
      columns: { ID: { name: 'id', required: true } },
      key: ['id'],
    });
    const input = { path, where: 'in.csv', hour: '2026-01-01T00:00:00Z', pipeline, out, folder: own };
    await expect(cleanFile(input, unattended)).rejects.toThrow(/report\.html is a folder/);
    expect(await readdir(out)).toEqual(['report.html']);
  });
});

describe('an overlay', () => {
  const yaml = 'columns: { ID: { name: id, required: true }, id: { name: other } }\nkey: [id]\n';

  it.each(['danfojs', 'duckdb'] as const)(
    'mends a line that was no record, and no part is written anew (%s)',
    async (engine) => {
      const found = await mended(yaml, 'ID,id\na,1\nb\n', [[10, { ID: 'b', id: '2' }]], engine);
      expect(found).toMatchObject({ 'clean.csv': 'id,other\na,1\nb,2\n', 'rejects.ndjson': '' });
    },
  );

  it.each(['danfojs', 'duckdb'] as const)(
    'mends rows of a part, and keeps the others, texts of any kind (%s)',
    async (engine) => {
      const found = await mended(yaml, 'ID,id\na,\uFEFFx\nb,""\n"c","é\n"\n', [[13, { id: '2' }]], engine);
      expect(found['clean.csv']).toBe('id,other\na,x\nb,2\nc,é\n');
    },
  );
});
