import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { acceptDefinition } from '../../src/definition/check-definition.ts';
import { jsonSchema } from '../../src/definition/json-schema.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { Problem } from '../../src/definition/problem.ts';

const pipelines = join(import.meta.dirname, '..', '..', 'pipelines');

function problemsOf(text: string): readonly Problem[] {
  const parsed = parseDefinition(text);
  return 'problems' in parsed ? parsed.problems : [];
}

const sound: PipelineInput = {
  name: 'p',
  source: { url: 'https://example.org/a.csv' },
  columns: {
    ID: { name: 'id', required: true },
    AMOUNT: { name: 'amount', type: 'decimal' },
    DAY: { name: 'day', type: 'date' },
  },
};
const withParts = (parts: Partial<PipelineInput>): string => stringify({ ...sound, ...parts });
const column = (parts: object) => ({ columns: { ...sound.columns, AMOUNT: { name: 'amount', ...parts } } });

describe('a definition', () => {
  const shipped = readdirSync(pipelines).filter((name) => name.endsWith('.yaml'));

  it.each(shipped)('is read with every default filled in, and reads the same a second time: %s', async (file) => {
    const parsed = parseDefinition(await readFile(join(pipelines, file), 'utf8'));
    if (!('pipeline' in parsed)) throw new Error(JSON.stringify(parsed.problems));
    const name = file.replace('.yaml', '');
    expect(parsed.pipeline).toMatchObject({ name, publish: { partitions: 3, compression: 'gzip' } });
    expect(acceptDefinition(parsed.pipeline)).toEqual(parsed.pipeline);
  });

  it('lists every problem at once, in the order of the file, with line, column and what was meant', () => {
    const text = [
      'name: Not A Name',
      'sorce: { url: x }',
      'source:',
      '  url: ftp://example.org/a.csv',
      'columns:',
      '  ID: { name: id, type: strin }',
      'key: [idd]',
    ].join('\n');
    expect(problemsOf(text).map(({ path, line, column: at }) => [path, line, at])).toEqual([
      ['name', 1, 7],
      ['sorce', 2, 1],
      ['source.url', 4, 8],
      ['columns.ID.type', 6, 25],
    ]);
    const said = problemsOf(text).map(({ message }) => message);
    expect(said[1]).toContain('Did you mean "source"?');
    expect(said[3]).toContain('Did you mean "string"?');
  });

  it('says what is missing at the section that lacks it', () => {
    expect(problemsOf('name: p\n').map(({ path }) => path)).toEqual(['source', 'columns']);
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- a\n- b\n'],
    ['a text', 'just text'],
    ['an unclosed bracket', 'name: [a'],
    ['a key twice', 'name: a\nname: b\n'],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((c, n) => `${c}: &${c} [${Array.from({ length: 10 }, () => `*${'abcdefg'[n]}`).join(',')}]`)
        .join('\n')}\n`,
    ],
    ['a million characters', `# ${'x'.repeat(1_000_001)}`],
  ])('refuses %s with a place in the file', (_what, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every(({ line, column: at, message }) => line > 0 && at > 0 && message.length > 5)).toBe(true);
  });

  it.each<[string, Partial<PipelineInput>, string, RegExp]>([
    [
      'a password in the address',
      { source: { url: 'https://me:hidden@example.org/a.csv' } },
      'source.url',
      /no secrets/,
    ],
    ['no address', { source: { url: 'https://' } }, 'source.url', /no address/],
    ['a key that is no column', { key: ['idd'] }, 'key.0', /"idd" is no column. Did you mean "id"/],
    ['a key that may be missing', { key: ['amount'] }, 'key.0', /may be missing/],
    ['two columns of one name', column({ name: 'id' }), 'columns.AMOUNT.name', /also the name of columns.ID/],
    ['a reserved name', column({ name: 'hour' }), 'columns.AMOUNT.name', /uses itself/],
    ['a range of a text', column({ range: { min: 1 } }), 'columns.AMOUNT.range', /needs a number/],
    [
      'a range upside down',
      column({ type: 'integer', range: { min: 2, max: 1 } }),
      'columns.AMOUNT.range',
      /above max/,
    ],
    ['padding of a number', column({ type: 'integer', pad: 5 }), 'columns.AMOUNT.pad', /leading zeros/],
    [
      'more scale than precision',
      column({ type: 'decimal', precision: 2, scale: 3 }),
      'columns.AMOUNT.scale',
      /more than precision/,
    ],
    ['a pattern that engines read differently', column({ pattern: '(?=a)b' }), 'columns.AMOUNT.pattern', /./],
    ['required and null', column({ required: true, onMissing: 'drop' }), 'columns.AMOUNT.onMissing', /contradicts/],
    ['a filter on nothing', { filter: { missing: 'amont' } }, 'filter.missing', /Did you mean "amount"/],
    [
      'a filter that compares a number with a word',
      {
        ...column({ type: 'integer' }),
        filter: {
          any: [
            { column: 'amount', between: [0.5, 9] },
            { column: 'amount', in: [1, 'two'] },
          ],
        },
      },
      'filter.any.1.in.1',
      /compares amount with "two", which is no integer/,
    ],
    [
      'a filter by a pattern that engines read differently',
      { filter: { not: { column: 'amount', matches: '(?=a)b' } } },
      'filter.not.matches',
      /not every engine/,
    ],
    [
      'a default that is no value of its type',
      column({ type: 'date', onMissing: { default: '1.2.2024' } }),
      'columns.AMOUNT.onMissing',
      /the default "1.2.2024" is no date/,
    ],
    [
      'a sum of texts',
      { aggregate: [{ name: 'a', groupBy: ['day'], measures: { s: { sum: 'id' } } }] },
      'aggregate.0.measures.s.sum',
      /needs a number/,
    ],
    [
      'an aggregate called main',
      { aggregate: [{ name: 'main', groupBy: ['id'], measures: { n: { count: '*' } } }] },
      'aggregate.0.name',
      /taken/,
    ],
    [
      'bands out of order',
      {
        generate: {
          fields: {
            b: {
              kind: 'band',
              of: 'amount',
              bands: [
                { below: 2, label: 'x' },
                { below: 1, label: 'y' },
              ],
            },
          },
        },
      },
      'generate.fields.b.bands',
      /ascend/,
    ],
    ['a date that is a number', { land: { date: 'amount' } }, 'land.date', /needs a date or timestamp/],
    ['a type that is nothing', { land: { type: 'kind' } }, 'land.type', /no column/],
    ['a schedule of minutes', { schedule: { every: '30m' } }, 'schedule.every', /more than once an hour/],
    [
      'a gate that warns after it blocks',
      { quality: { minRows: { warn: 1, block: 5 } } },
      'quality.minRows',
      /warns later/,
    ],
  ])('refuses %s', (_what, parts, path, sentence) => {
    const problems = problemsOf(withParts(parts));
    expect(problems).toMatchObject([{ path, message: expect.stringMatching(sentence) as unknown }]);
  });

  it('takes what is sound', () => {
    expect(problemsOf(withParts({}))).toEqual([]);
    expect(
      problemsOf(withParts({ key: ['id'], land: { date: 'day', type: 'id' }, filter: { not: { missing: 'amount' } } })),
    ).toEqual([]);
  });

  it.each([[null], [[]], ['text'], [7]])('is accepted from nobody as %j', (given) => {
    expect(() => acceptDefinition(given)).toThrow(/must be an object/);
  });

  it('has a JSON Schema for editors, and the shipped one is current: npm run schema', async () => {
    const shipped = await readFile(join(pipelines, 'pipeline.schema.json'), 'utf8');
    expect(JSON.parse(shipped)).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });
});
