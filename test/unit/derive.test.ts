import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { deriveInThread, type DeriveJob } from '../../src/stages/cleaning/derive.ts';
import { compileRules } from '../../src/stages/cleaning/rules.ts';
import { unattended } from '../../src/stages/deps.ts';
import { runExample } from '../helpers/doc-examples.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-derive-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function jobOf(expression: string, note: string): Promise<DeriveJob> {
  const pipeline = acceptDefinition({
    name: 'p',
    source: { url: 'https://example.org/in.csv' },
    columns: { ID: { name: 'id', required: true }, NOTE: { name: 'note' } },
    key: ['id'],
    derive: { found: { expression, type: 'boolean' } },
  });
  const [cleanPath, rejectsPath] = [join(folder, 'clean.csv'), join(folder, 'rejects.csv')];
  await writeFile(cleanPath, `_row,id,note\n1,a,${note}\n`);
  await writeFile(rejectsPath, '');
  const { clean } = streamOf(pipeline, 'main');
  return { rules: compileRules(pipeline, ['ID', 'NOTE']), folder, pipeline, clean, cleanPath, rejectsPath };
}

describe('computed columns', () => {
  it('that would never end are stopped when a run is, and the process goes on meanwhile', async () => {
    const job = await jobOf('note.matches("(a+)+$")', `${'a'.repeat(43)}b`);
    const stop = new AbortController();
    let alive = 0;
    const progress = (): void => {
      alive += 1;
      if (alive === 2) stop.abort();
    };
    await expect(deriveInThread(job, { signal: stop.signal, progress })).rejects.toThrow(/aborted/);
    expect(alive).toBe(2);
  });

  it('that fail are told in a sentence', async () => {
    const job = await jobOf('note == "x"', 'x');
    await rm(job.cleanPath);
    await expect(deriveInThread(job, unattended)).rejects.toThrow(/^Computing columns failed: ENOENT/);
  });

  it('are not without a value because a text in their expression is called like a missing column', async () => {
    const yaml = `
columns: { ID: { name: id, required: true, type: integer }, NOTE: { name: note } }
key: [id]
derive: { share: { expression: '1 / (id - 1) + (string(id) == "note" ? 1 : 0)', type: integer } }
`;
    const found = await runExample({ name: '', yaml, says: { 'in.csv': 'ID,NOTE\n1,\n2,\n' } }, 'duckdb', folder);
    expect(found['clean.csv']).toBe('id,note,share\n2,,1\n');
  });

  it('hold no NUL, and neither does any text of a definition', async () => {
    expect(() =>
      acceptDefinition({
        name: 'p',
        source: { url: 'https://example.org/in.csv' },
        columns: { ID: { name: 'id', onMissing: { default: 'a\0b' } } },
      }),
    ).toThrow(/columns\.ID\.onMissing\.default: holds a NUL or half of a character/);
    const yaml = `
columns: { ID: { name: id, required: true } }
key: [id]
derive: { other: { expression: 'id + "\\u0000"' } }
`;
    const found = await runExample({ name: '', yaml, says: { 'in.csv': 'ID\na\n' } }, 'duckdb', folder);
    expect(found['clean.csv']).toBe('id,other\n');
  });
});
