import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { jsonSchema } from '../../src/definition/json-schema.ts';
import { faultKinds } from '../../src/formats/csv-dialect.ts';
import { cleanWithDanfojs } from '../../src/stages/cleaning/danfojs/danfojs-clean.ts';
import { danfojsEngine } from '../../src/stages/cleaning/danfojs/danfojs-engine.ts';
import { rejectRules } from '../../src/stages/cleaning/rules.ts';
import { codeWords, docExamples, runExample } from '../helpers/doc-examples.ts';
import { schemaWords } from '../helpers/schema-words.ts';

const page = readFileSync(new URL('../../docs/cleaning.md', import.meta.url), 'utf8');
const examples = docExamples(page);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cleaning-doc-'));
  // Not in a thread of its own for each example: every one would load danfojs anew, a second each.
  vi.spyOn(danfojsEngine, 'clean').mockImplementation(async ({ parts, ...job }) =>
    cleanWithDanfojs({ ...job, parts: await parts.local() }),
  );
});

afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** Blocks that an example gives; the others say what becomes of it. */
const given = ['in.csv', 'fixes.ndjson', 'earlier.csv'];

describe('what docs/cleaning.md says', () => {
  it.each(examples)('$name', async (example) => {
    const said = Object.fromEntries(Object.entries(example.says).filter(([title]) => !given.includes(title)));
    // A rejected row, or a failure, that the reader is not told of is a difference too.
    const asked = new Set([...Object.keys(said), 'error', ...('rejects.ndjson' in said ? [] : ['rejects'])]);
    for (const engine of ['danfojs', 'duckdb'] as const) {
      const found = await runExample(example, engine, folder);
      const compared = Object.entries(found).filter(([title]) => asked.has(title));
      expect({ engine, ...Object.fromEntries(compared) }).toEqual({ engine, ...said });
    }
  });

  it('is read whole: every block of code is a part of an example, and every example says something', () => {
    const blocks = examples.reduce((sum, { says }) => sum + 1 + Object.keys(says).length, 0);
    expect(blocks * 2).toBe(page.match(/^```/gm)?.length);
    const idle = examples.filter(
      ({ says }) => !('in.csv' in says) || Object.keys(says).every((title) => given.includes(title)),
    );
    expect(idle).toEqual([]);
  });

  const words = codeWords(page);

  it('names every setting of columns, key rules, conditions, aggregates, contract and gates', () => {
    const sections = ['columns', 'key', 'duplicates', 'filter', 'derive', 'aggregate', 'contract', 'quality'];
    const settings = schemaWords(jsonSchema(), sections);
    expect(settings).toEqual(
      expect.arrayContaining(['pad', 'forwardFill', 'newest', 'matches', 'quantile', 'freeze', 'runs']),
    );
    expect(settings.filter((word) => !words.has(word))).toEqual([]);
  });

  it('names every rule by which a row can be rejected', () => {
    expect([...rejectRules, ...faultKinds].filter((rule) => !page.includes(`\n| \`${rule}\` `))).toEqual([]);
  });
});
