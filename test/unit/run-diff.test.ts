import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLines } from '../../src/client/cli/diff-lines.ts';
import { columnsDiff } from '../../src/client/columns-diff.ts';
import { diffRuns, diffSections, type ComparedRun, type RunDiff } from '../../src/client/run-diff.ts';
import type { OutputColumn } from '../../src/definition/columns.ts';
import type { QualityVerdict } from '../../src/definition/refs.ts';
import type { RunReport } from '../../src/workflows/messages.ts';

const rows = { read: 10, clean: 7, duplicates: 1, filtered: 1, rejected: 1, published: 7, landed: 7, indexed: 7 };
const raw = { uri: 's3://b/raw/p/1', sha256: 'aa', bytes: 100 };

function report(more: Partial<RunReport> = {}): RunReport {
  const { published: _, landed: __, indexed: ___, ...cleaned } = rows;
  return {
    ...{ pipeline: 'p', hour: '2026-11-24T03:00:00Z', workflowId: 'w', runId: 'r1', outcome: 'completed' },
    ...{ startedAt: '2026-11-24T03:00:00.000Z', endedAt: '2026-11-24T03:00:10.000Z' },
    stages: [
      { stage: 'prepare', startedAt: '2026-11-24T03:00:00.000Z', ms: 2_000 },
      { stage: 'import', startedAt: '2026-11-24T03:00:02.000Z', ms: 8_000 },
    ],
    source: {
      ...{ address: 'https://example.org/a.csv', fetchedAt: '2026-11-24T03:00:03Z', raw, replayed: false },
      ...{ unknownColumns: [], fileCount: 1, validators: { etag: '"1"' } },
    },
    schemas: { main: 's1' },
    clean: {
      engine: 'duckdb',
      quality: [{ gate: 'minRows', level: 'ok', sentence: '7 rows are clean.' }],
      rejectedBy: { 'zip pattern': 1 },
      datasets: { main: { rows: cleaned, sha256: 'c1', checksum: [1, 2, 3, 4] } },
    },
    generations: { main: 1 },
    batches: { main: 'b1' },
    equations: [{ dataset: 'main', rows, holds: true }],
    ...more,
  };
}

const columns: readonly OutputColumn[] = [
  { name: 'zip', type: 'string' },
  { name: 'amount', type: 'decimal', precision: 12, scale: 2 },
];
const run = (more: Partial<RunReport> = {}, beside: Partial<ComparedRun> = {}): ComparedRun => ({
  ...{ report: report(more), definition: { name: 'p', quality: { minRows: { warn: 5 } } }, columns: { main: columns } },
  ...beside,
});
const text = (diff: RunDiff): string => diffLines(diff).join('\n');

describe('a diff of two runs', () => {
  it('says of each part what is otherwise', () => {
    const now = run(
      {
        ...{ runId: 'r2', outcome: 'failed', endedAt: '2026-11-24T03:00:30.000Z' },
        error: { code: 'QualityBlocked', stage: 'quality', message: 'Too few.' },
        stages: [{ stage: 'prepare', startedAt: '2026-11-24T03:00:00.000Z', ms: 3_000 }],
        source: {
          ...{ address: 'https://example.org/b.csv', fetchedAt: '2026-11-24T03:10:03Z', replayed: false },
          raw: { ...raw, sha256: 'bb', bytes: 90 },
          ...{ unknownColumns: ['NEW'], fileCount: 1, validators: { etag: '"2"' } },
        },
        clean: {
          engine: 'duckdb',
          quality: [
            { gate: 'minRows', level: 'block', sentence: '3 rows are clean; the bound that blocks is 5 rows.' },
          ],
          rejectedBy: { 'zip pattern': 4, 'zip required': 1 },
          datasets: {
            main: {
              ...{ rows: { read: 10, clean: 3, duplicates: 1, filtered: 1, rejected: 5 }, sha256: 'c2' },
              checksum: [1, 2, 3, 5],
            },
          },
        },
        ...{ batches: { main: 'b2' }, generations: {}, equations: [] },
      },
      {
        definition: { name: 'p', quality: { minRows: { block: 5 } } },
        columns: {
          main: [
            { name: 'amount', type: 'decimal', precision: 12, scale: 3 },
            { name: 'kind', type: 'string' },
          ],
        },
      },
    );
    const diff = diffRuns(run(), now);
    expect(diff.differs).toEqual([...diffSections]);
    expect(diff.notCompared).toEqual([]);
    expect(diff.old).toMatchObject({ runId: 'r1', outcome: 'completed' });
    expect(diff.new).toMatchObject({ runId: 'r2', outcome: 'failed', error: { code: 'QualityBlocked' } });
    expect(diff.definition).toEqual([
      { path: 'quality.minRows.block', new: 5 },
      { path: 'quality.minRows.warn', old: 5 },
    ]);
    expect(diff.source.map(({ path }) => path)).toEqual([
      ...['address', 'sha256', 'bytes', 'unknownColumns', 'fetchedAt', 'etag'],
    ]);
    expect(diff.rows).toMatchObject([
      { dataset: 'main', old: { clean: 7, indexed: 7 }, new: { clean: 3, rejected: 5 } },
    ]);
    expect(diff.rejectedBy).toEqual([
      { rule: 'zip pattern', old: 1, new: 4 },
      { rule: 'zip required', new: 1 },
    ]);
    expect(diff.schema).toEqual([
      {
        dataset: 'main',
        added: [{ name: 'kind', type: 'string' }],
        removed: [{ name: 'zip', type: 'string' }],
        changed: [{ column: 'amount', differences: [{ path: 'scale', old: 2, new: 3 }] }],
        reordered: false,
      },
    ]);
    expect(diff.quality).toMatchObject([{ gate: 'minRows', old: { level: 'ok' }, new: { level: 'block' } }]);
    expect(diff.batches).toEqual([
      ...[
        {
          dataset: 'main',
          batch: { old: 'b1', new: 'b2' },
          generation: { old: 1 },
          sameContent: false,
          sameKeys: false,
        },
      ],
    ]);
    expect(diff.stages).toEqual([
      { stage: 'prepare', old: 2_000, new: 3_000, ratio: 1.5 },
      { stage: 'import', old: 8_000 },
    ]);
    expect(diff.total).toEqual({ old: 10_000, new: 30_000, ratio: 3 });
    const shown = text(diff);
    expect(shown).toMatch(/^p {2}differs in outcome, definition, source, rows, columns, quality, batches$/m);
    expect(shown).toMatch(/^ {4}clean +7 +3 +-4$/m);
    expect(shown).toMatch(/^ {4}indexed +7 +-$/m);
    expect(shown).toMatch(/^ {2}~ main: amount\.scale: 2 → 3$/m);
    expect(shown).toMatch(/^ {2}minRows: ok → block$/m);
    expect(shown).toMatch(/^ {2}prepare +2\.0 s +3\.0 s {2}× 1\.50$/m);
  });

  it('finds none in two hours of the same rows, though their batches have other names', () => {
    const next = run({
      ...{ hour: '2026-11-24T04:00:00Z', runId: 'r2', batches: { main: 'b2' }, generations: { main: 3 } },
      source: { ...report().source, fetchedAt: '2026-11-24T04:00:03Z', replayed: true } as RunReport['source'] & object,
    });
    const diff = diffRuns(run(), next);
    expect(diff.differs).toEqual([]);
    expect(diff.batches).toMatchObject([{ sameContent: true, sameKeys: true }]);
    expect(text(diff)).toContain('no difference found');
    expect(text(diff)).toContain('main: batch b1 → b2, the same rows');
  });

  it('tells other values of the same records from other records, and another generation of the same hour', () => {
    const { clean } = report();
    const datasets = { main: { ...clean?.datasets?.['main'], sha256: 'c2' } } as NonNullable<typeof clean>['datasets'] &
      object;
    const mended = run({
      runId: 'r2',
      clean: { ...clean, datasets } as RunReport['clean'] & object,
      batches: { main: 'b2' },
    });
    expect(diffRuns(run(), mended)).toMatchObject({
      ...{ differs: ['batches'], batches: [{ sameContent: false, sameKeys: true }] },
    });
    const again = diffRuns(run(), run({ runId: 'r2', generations: { main: 2 } }));
    expect(again.differs).toEqual(['batches']);
    expect(text(again)).toContain('main: batch b1, generation 1 → 2, the same rows');
  });

  it('says what is not stored, and why, and finds no difference in it', () => {
    const { clean, source } = report();
    const old = run({
      clean: { engine: 'duckdb', quality: [], rejectedBy: {} },
      source: { ...source, validators: undefined } as never,
      equations: [],
      schemas: undefined as never,
    });
    const diff = diffRuns({ report: old.report }, run());
    expect(diff.differs).toEqual(['quality']);
    expect(diff.notCompared).toEqual([
      ...['definition', 'source’s validators', 'rows', 'columns'].map((what, at) => ({
        section: ['definition', 'source', 'rows', 'schema'][at],
        whole: at !== 1,
        sentence: `The old run was made by a version of Sluice that did not store its ${what}.`,
      })),
    ]);
    expect(text(diff)).toMatch(/^definition {2}not compared\n {2}The old run was made by a version/m);
    const gone = diffRuns(run(), { report: report(), definition: run().definition ?? null });
    expect(gone.notCompared).toEqual([
      { section: 'schema', whole: true, sentence: 'The new run names columns that are not stored any more.' },
    ]);
    expect(clean).toBeDefined();
  });

  it('says how far a run got, that it is on its way, and that it repeats another hour', () => {
    const { source: _, clean: __, schemas: ___, outcome, endedAt, ...rest } = report();
    const early = { ...rest, runId: 'r2', stages: [], batches: {}, generations: {}, equations: [] };
    const failed = diffRuns(run(), {
      report: { ...early, outcome: 'failed', endedAt },
      definition: run().definition ?? null,
    });
    expect(failed.differs).toEqual(['outcome']);
    expect(failed.notCompared.map(({ sentence }) => sentence)).toEqual(
      ['source', 'rows', 'columns', 'quality gates', 'batches'].map(
        (what) => `The new run did not get as far as its ${what}.`,
      ),
    );
    const running = diffRuns(run(), { report: early });
    expect(running.new.outcome).toBe('running');
    expect(running.total).toEqual({ old: 10_000 });
    expect(running.notCompared[0]?.sentence).toBe('The new run is on its way, and stores its definition at its end.');
    const { clean: ____, ...unchanged } = report({
      outcome: 'unchanged',
      sameAs: '2026-11-24T02:00:00Z',
      equations: [],
    });
    const repeats = diffRuns(run(), { ...run(), report: { ...unchanged, batches: {} } });
    expect(repeats.differs).toEqual(['outcome']);
    expect(repeats.notCompared[0]?.sentence).toBe(
      'The new run repeats 2026-11-24T02:00:00Z, so it has no rows of its own.',
    );
    expect(outcome).toBe('completed');
  });

  it('of data sets compares each, the names of JavaScript included', () => {
    const equations = [
      { dataset: 'main', rows, holds: true },
      { dataset: 'constructor', rows, holds: true },
    ];
    const diff = diffRuns(run(), run({ equations, batches: { main: 'b1', constructor: 'b9' } as never }));
    expect(diff.differs).toEqual(['rows']);
    expect(diff.rows.map(({ dataset, old }) => [dataset, old === undefined])).toEqual([
      ['main', false],
      ['constructor', true],
    ]);
    expect(diff.batches[1]).toMatchObject({ dataset: 'constructor', batch: { new: 'b9' } });
  });
});

// --- Laws, over any two runs ---

const name = fc.constantFrom('a', 'b', 'constructor', 'with.dot');
const anyColumns = fc.uniqueArray(fc.record({ name, type: fc.constantFrom('string' as const, 'integer' as const) }), {
  selector: (column) => column.name,
});
const anyCounts = fc.record({
  ...{ read: fc.nat(9), clean: fc.nat(9), duplicates: fc.nat(9), filtered: fc.nat(9), rejected: fc.nat(9) },
  ...{ published: fc.nat(9), landed: fc.nat(9), indexed: fc.nat(9) },
});
const anyQuality: fc.Arbitrary<QualityVerdict[]> = fc.uniqueArray(
  fc.record({ gate: name, level: fc.constantFrom('ok', 'warn', 'block'), sentence: fc.constantFrom('x', 'y') }),
  { selector: ({ gate }) => gate },
);
const anyRun: fc.Arbitrary<ComparedRun> = fc
  .record({
    hour: fc.constantFrom('2026-11-24T03:00:00Z', '2026-11-24T04:00:00Z'),
    outcome: fc.constantFrom('completed' as const, 'failed' as const),
    stages: fc.array(
      fc.record({ stage: fc.constantFrom('prepare', 'import', 'clean'), ms: fc.nat(9), startedAt: fc.constant('x') }),
      { maxLength: 4 },
    ),
    counts: fc.option(anyCounts, { nil: undefined }),
    quality: fc.option(anyQuality, { nil: undefined }),
    sha256: fc.constantFrom('s1', 's2'),
    columns: fc.option(anyColumns, { nil: undefined }),
    definition: fc.option(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 })), { nil: undefined }),
    batch: fc.option(fc.constantFrom('b1', 'b2'), { nil: undefined }),
    generation: fc.nat(2),
  })
  .map(({ hour, outcome, stages, counts, quality, sha256, columns: own, definition, batch, generation }) => {
    const { clean: _, source, ...rest } = report();
    return {
      report: {
        ...rest,
        ...{ hour, outcome, stages },
        source: { ...(source as RunReport['source'] & object), raw: { ...raw, sha256 } },
        ...(quality ? { clean: { engine: 'duckdb' as const, quality, rejectedBy: {} } } : {}),
        equations: counts ? [{ dataset: 'main', rows: counts, holds: true }] : [],
        batches: batch === undefined ? {} : { main: batch },
        generations: batch === undefined ? {} : { main: generation },
      },
      ...(own ? { columns: { main: own } } : {}),
      // Definitions are JSON, which has no -0.
      ...(definition
        ? { definition: JSON.parse(JSON.stringify(definition)) as ComparedRun['definition'] & object }
        : {}),
    };
  });

/** What a diff says of both runs, name by name in any order. */
function sides(diff: RunDiff, [first, second]: readonly ['old', 'new'] | readonly ['new', 'old']): unknown {
  const of = (what: string, change: { readonly old?: unknown; readonly new?: unknown }) =>
    JSON.stringify([what, change[first] ?? null, change[second] ?? null]);
  return [
    ...diff.rows.map((item) => of(`rows ${item.dataset}`, item)),
    ...diff.quality.map((item) => of(`gate ${item.gate}`, item)),
    ...diff.stages.map((item) => of(`stage ${item.stage}`, item)),
    ...diff.batches.flatMap(({ dataset, batch, generation, ...item }) => [
      of(`batch ${dataset}`, batch),
      of(`generation ${dataset}`, generation),
      JSON.stringify(item),
    ]),
    ...diff.definition.filter(({ path }) => !path.endsWith(' (order)')).map((item) => of(item.path, item)),
  ].toSorted();
}

describe('diffs of any runs', () => {
  it('find nothing in a run and itself', () => {
    fc.assert(
      fc.property(anyRun, (one) => {
        const diff = diffRuns(one, one);
        expect(diff.differs).toEqual([]);
        expect([diff.definition, diff.source, diff.schema, diff.rejectedBy]).toEqual([[], [], [], []]);
      }),
    );
  });

  it('are the same both ways, turned round', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (one, other) => {
        const [there, back] = [diffRuns(one, other), diffRuns(other, one)];
        expect(back.differs).toEqual(there.differs);
        expect(sides(back, ['new', 'old'])).toEqual(sides(there, ['old', 'new']));
      }),
    );
  });

  it('say of each part either that it was compared or why not', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (one, other) => {
        const diff = diffRuns(one, other);
        const missing = new Set(diff.notCompared.map(({ section }) => section));
        expect(missing.has('definition')).toBe(one.definition === undefined || other.definition === undefined);
        expect(missing.has('schema')).toBe(one.columns === undefined || other.columns === undefined);
        expect(missing.has('quality')).toBe(one.report.clean === undefined || other.report.clean === undefined);
        const parts = (['definition', 'schema', 'quality'] as const).filter((part) => missing.has(part));
        expect(parts.map((part) => diff[part].length)).toEqual(parts.map(() => 0));
        expect(diffLines(diff).every((line) => !/undefined|\[object/.test(line))).toBe(true);
        expect(JSON.parse(JSON.stringify(diff))).toEqual(diff);
      }),
    );
  });

  it('of columns lead from the old to the new ones', () => {
    fc.assert(
      fc.property(anyColumns, anyColumns, (old, now) => {
        const [diff] = columnsDiff({ main: old }, { main: now });
        const gone = new Set(diff?.removed.map((column) => column.name));
        const left = old.filter((column) => !gone.has(column.name));
        const changed = left.map((column) => {
          const differences = diff?.changed.find((change) => change.column === column.name)?.differences ?? [];
          return { ...column, ...Object.fromEntries(differences.map(({ path, new: value }) => [path, value])) };
        });
        const made = [...changed, ...(diff?.added ?? [])];
        expect(new Set(made.map((column) => JSON.stringify(column)))).toEqual(
          new Set(now.map((column) => JSON.stringify(column))),
        );
        expect(diff === undefined).toBe(JSON.stringify(old) === JSON.stringify(now));
      }),
    );
  });
});
