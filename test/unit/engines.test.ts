import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { encodeTextParquet } from '../../src/formats/parquet.ts';
import { named, textColumns } from '../helpers/text-columns.ts';
import { cleanWithDanfojs } from '../../src/stages/cleaning/danfojs-clean.ts';
import { danfojsEngine } from '../../src/stages/cleaning/danfojs-engine.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb-engine.ts';
import type { CleanOutcome } from '../../src/stages/cleaning/engine.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { unattended } from '../../src/stages/deps.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-engines-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const header = ['ID', 'A', 'B'];

async function prepareJob(input: Partial<PipelineInput>, rows: readonly (readonly string[])[]) {
  const pipeline = pipelineSchema.parse({ name: 'p', source: { url: 'https://example.org/a.csv' }, ...input });
  const folder = await mkdtemp(join(root, 'job-'));
  const path = join(folder, 'part.parquet');
  await writeFile(path, encodeTextParquet(named(header), textColumns(header.length, rows), 0));
  return { rules: compileRules(pipeline, header), parts: [path], files: ['f'], folder };
}

async function told(outcome: CleanOutcome) {
  const { cleanPath, rejectsPath, ...rest } = outcome;
  return { ...rest, clean: await readFile(cleanPath, 'utf8'), rejects: await readFile(rejectsPath, 'utf8') };
}

async function both(input: Partial<PipelineInput>, rows: readonly (readonly string[])[]) {
  const job = await prepareJob(input, rows);
  const danfojs = await told(await cleanWithDanfojs(job));
  const duckdb = await told(await duckdbEngine.clean({ ...job, context: unattended }));
  await rm(job.folder, { recursive: true });
  return { danfojs, duckdb };
}

const cell = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '0',
    '00',
    '-0',
    '1',
    '01',
    '1.50',
    '\uFEFF1',
    '.5',
    '-7.25',
    '1e3',
    '12345678901234567890',
    'NA',
    'null',
  ),
  fc.constantFrom(
    'NaN',
    'undefined',
    'true',
    'No',
    '2024-02-29',
    '2023-02-29',
    '2024-01-01T10:00:00+02:00',
    'a',
    'A',
    'ä',
  ),
  fc.constantFrom(
    'a,b',
    'say "x"',
    'two\nlines',
    'cr\rlf\n',
    "it's",
    ' lead',
    'trail ',
    '\u00a0nbsp',
    '😀',
    '__proto__',
    "''",
    '\\',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => text.isWellFormed() && !text.includes('\0')),
);
const type = fc.constantFrom('string', 'integer', 'decimal', 'boolean', 'date', 'timestamp');
const column = (name: string) =>
  fc.record({
    name: fc.constant(name),
    type,
    precision: fc.constant(10),
    scale: fc.constant(3),
    trim: fc.boolean(),
    missing: fc.constantFrom([''], ['', 'NA', 'null'], []),
    onMissing: fc.constantFrom('null', 'reject', 'drop'),
  });
const filter = fc.constantFrom(
  undefined,
  { missing: 'a' },
  { not: { column: 'b', is: 'eq', value: 'a' } },
  { any: [{ column: 'a', matches: '[a-c].*' }, { missing: 'b' }] },
);
const definition = fc.record({
  columns: fc.record({ ID: column('id'), A: column('a'), B: column('b') }),
  key: fc.constantFrom([], ['id'], ['id', 'a']),
  duplicates: fc.record({ keep: fc.constantFrom('first', 'last') }),
  filter,
});

describe('danfojs and DuckDB', () => {
  it('give the same bytes for any rows and rules (property)', async () => {
    await fc.assert(
      fc.asyncProperty(definition, fc.array(fc.tuple(cell, cell, cell), { maxLength: 40 }), async (given, rows) => {
        const { filter: condition, ...rest } = given;
        const typed = Object.values(rest.columns).every((one) => one.type === 'string');
        // The conditions compare texts: with other types they are no definition.
        const input = {
          ...rest,
          ...(condition && typed ? { filter: condition } : {}),
        } as unknown as Partial<PipelineInput>;
        const { danfojs, duckdb } = await both(input, rows);
        expect(danfojs).toEqual(duckdb);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('give the same for padding, patterns, values, ranges and defaults', async () => {
    const columns = {
      ID: { name: 'id', pad: 5, pattern: '[0-9]{5}' },
      A: { name: 'a', type: 'decimal', precision: 6, scale: 2, range: { min: 0, max: 10 }, onMissing: { default: 1 } },
      B: { name: 'b', values: ['x', 'y'], onMissing: 'null' },
    } satisfies PipelineInput['columns'];
    const rows = [
      ['1', '5', 'x'],
      ['12345', '', 'y'],
      ['123456', '1', 'x'],
      ['2', '11', 'x'],
      ['3', '1.234', 'x'],
      ['4', '10', 'z'],
      ['00001', '6', ''],
    ];
    const { danfojs, duckdb } = await both({ columns, key: ['id'], duplicates: { keep: 'last' } }, rows);
    expect(danfojs).toEqual(duckdb);
    expect(danfojs.rows).toEqual({ clean: 2, duplicates: 1, filtered: 0, rejected: 4 });
    expect(danfojs.clean).toBe('id,a,b\n12345,1,y\n00001,6,\n');
  });

  it('danfojs works in a thread of its own, and stops when it is told to', async () => {
    const columns = { ID: { name: 'id' }, A: { name: 'a' }, B: { name: 'b' } };
    const job = await prepareJob({ columns }, [['1', 'a', 'b']]);
    const notes: string[] = [];
    const context = {
      signal: new AbortController().signal,
      progress: ({ note }: { note?: string }) => notes.push(note ?? ''),
    };
    expect(await told(await danfojsEngine.clean({ ...job, context }))).toMatchObject({
      clean: '_file,_row,id,a,b\nf,1,1,a,b\n',
    });
    const stopped = new AbortController();
    const ended = danfojsEngine.clean({ ...job, context: { ...unattended, signal: stopped.signal } });
    stopped.abort();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('danfojs says so in a sentence when a part is no Parquet file', async () => {
    const columns = { ID: { name: 'id' }, A: { name: 'a' }, B: { name: 'b' } };
    const job = await prepareJob({ columns }, [['1', 'a', 'b']]);
    await writeFile(job.parts[0] ?? '', 'not parquet');
    await expect(danfojsEngine.clean({ ...job, context: unattended })).rejects.toMatchObject({
      code: 'EngineFailed',
      message: expect.stringMatching(/not a Parquet file/) as unknown,
    });
  });
});
