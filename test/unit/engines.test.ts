import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { anyHeader, anyTable } from '../helpers/any-cleaning.ts';
import { jobOf, jobOfParts, told } from '../helpers/engine-lab.ts';
import { namedCases } from '../helpers/named-cases.ts';
import { cleanWithDanfojs } from '../../src/stages/cleaning/danfojs/danfojs-clean.ts';
import { danfojsEngine } from '../../src/stages/cleaning/danfojs/danfojs-engine.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb/duckdb-engine.ts';
import { unattended } from '../../src/stages/deps.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-engines-'));
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const plain: readonly string[] = ['ID', 'A', 'B'];

async function both(input: Partial<PipelineInput>, rows: readonly (readonly string[])[], header = plain) {
  return bothOf(await jobOf(root, input, rows, header));
}

async function bothOf(job: Awaited<ReturnType<typeof jobOf>>) {
  const danfojs = await told(await cleanWithDanfojs({ ...job, parts: job.paths }));
  const duckdb = await told(await duckdbEngine.clean({ ...job, context: unattended }));
  await rm(job.folder, { recursive: true });
  return { danfojs, duckdb };
}

describe('danfojs and DuckDB', () => {
  it('give the same bytes for any rows and rules (property)', async () => {
    await fc.assert(
      fc.asyncProperty(anyTable(40), async ([definition, rows]) => {
        const { danfojs, duckdb } = await both(definition, rows, anyHeader);
        expect(danfojs).toEqual(duckdb);
      }),
      { numRuns: 200 },
    );
  }, 240_000);

  it.each(namedCases)('give the same for $name', async ({ definition, parts, header, clean }) => {
    const { danfojs, duckdb } = await bothOf(await jobOfParts(root, definition, parts, header));
    expect(danfojs).toEqual(duckdb);
    expect(danfojs.clean).toBe(clean ?? danfojs.clean);
  });

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
    const job = await jobOf(root, { columns }, [['1', 'a', 'b']], plain);
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

  it('danfojs keeps its thread for the next job, and has another after one that failed', async () => {
    let threads = 0;
    const count = (): void => void (threads += 1);
    process.on('worker', count);
    const clean = async () => {
      const job = await jobOf(root, { columns: { id: { name: 'id' } }, key: ['id'] }, [['1'], ['2'], ['1']], ['id']);
      return told(await danfojsEngine.clean({ ...job, context: unattended }));
    };
    try {
      const first = await clean();
      threads = 0;
      expect(await clean()).toEqual(first);
      expect(threads).toBe(0);
      const job = await jobOf(root, { columns: { id: { name: 'id' } } }, [['1']], ['id']);
      await writeFile(job.paths[0] ?? '', 'not parquet');
      await expect(danfojsEngine.clean({ ...job, context: unattended })).rejects.toMatchObject({
        code: 'EngineFailed',
      });
      expect(await clean()).toEqual(first);
      expect(threads).toBe(1);
    } finally {
      process.off('worker', count);
    }
  });

  it('danfojs says so in a sentence when a part is no Parquet file', async () => {
    const columns = { ID: { name: 'id' }, A: { name: 'a' }, B: { name: 'b' } };
    const job = await jobOf(root, { columns }, [['1', 'a', 'b']], plain);
    await writeFile(job.paths[0] ?? '', 'not parquet');
    await expect(danfojsEngine.clean({ ...job, context: unattended })).rejects.toMatchObject({
      code: 'EngineFailed',
      message: expect.stringMatching(/not a Parquet file/) as unknown,
    });
  });
});
