import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { reportLines } from '../../src/client/cli/report-lines.ts';
import type { Store } from '../../src/connectors/object-store.ts';
import { runPage } from '../../src/dashboards/run-page/page.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { keys } from '../../src/definition/names.ts';
import { doneBefore, storedDefinition } from '../../src/inspecting/beside-report.ts';
import { storedReport, storedReports } from '../../src/inspecting/run-reports.ts';
import type { Loose } from '../helpers/kibana-dashboards.ts';

const hour = '2026-11-24T03:00:00Z';
const rows = { read: 3, clean: 2, duplicates: 0, filtered: 0, rejected: 1, published: 2, landed: 2, indexed: 2 };
const at = '2026-11-24T03:05:00Z';
const report = {
  ...{ pipeline: 'shops', hour, workflowId: 'pipeline/shops', runId: 'r1', outcome: 'failed' },
  ...{ startedAt: at, endedAt: '2026-11-24T03:06:00Z' },
  stages: [
    {
      ...{ stage: 'import', startedAt: at, ms: 10, rows: 3 },
      times: { queueMs: 1, runMs: 2, retryMs: 3, waitMs: 4, busyMs: 5, cpuMs: 6, failed: { X: 1 }, on: {} },
    },
  ],
  source: {
    ...{ address: 'https://example.org/a.csv', fetchedAt: at, replayed: false, unknownColumns: ['d'], notes: ['n'] },
    raw: { uri: 's3://b/raw/shops/x', sha256: 'x', bytes: 4 },
    files: [{ name: 'a.csv', file: 'x', rows: { read: 3, parsed: 3, rejected: 0 }, format: 'UTF-8' }],
  },
  prepared: { changes: ['c'], warnings: ['w'] },
  clean: {
    ...{ engine: 'duckdb', rejectedBy: { 'amount type': 1 }, datasets: { main: { rows, sha256: 'x' } } },
    quality: [{ gate: 'rejected', level: 'warn', sentence: 'many' }],
  },
  ...{ generations: { main: 1 }, batches: { main: 'b' }, equations: [{ dataset: 'main', rows, holds: true }] },
  ...{ warnings: ['w'], madeStale: { hours: [hour], count: 1, itself: false } },
  discarded: { tallies: [{ what: 'objects', objects: 1, bytes: 2, first: ['a'] }] },
  anomalies: [{ rule: 'volume', severity: 'warning', sentence: 'odd' }],
  ...{ watched: { judged: 1, learning: 2, runs: 3 }, error: { code: 'X', stage: 'import', message: 'm' } },
  servers: [{ server: 'kafka', lines: [{ at, level: 'warn', text: 't' }], left: 0 }],
  timing: {
    ...{ runs: 3, causes: {}, usual: [], slower: 's', servers: { store: ['s'] } },
    bottleneck: {
      cause: 'source',
      stage: 'import',
      ms: 5,
      share: 0.5,
      sentence: 's',
      evidence: ['e'],
      suggestion: 's',
    },
  },
};

/** A store in which some objects are. */
function storeOf(objects: Readonly<Record<string, string>>): Store {
  return {
    uri: (key: string) => `s3://b/${key}`,
    find: async (key: string) => (key in objects ? Buffer.from(objects[key] ?? '') : undefined),
    list: (prefix: string) =>
      Readable.from(Object.keys(objects).flatMap((key) => (key.startsWith(prefix) ? [{ key }] : []))),
  } as unknown as Store;
}

const key = keys.attempt('shops', hour, 'r1', 'run.json');
const read = (text: string) => storedReport(storeOf({ [key]: text }), 'shops', hour, 'r1');

/** Every place in a value. */
function* places(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value))
    yield* places(inner, [...path, Array.isArray(value) ? Number(name) : name]);
}

describe('M3: a report that is broken where it is stored', () => {
  it('is read where it is whole', async () => {
    expect(await read(JSON.stringify(report))).toEqual(report);
    expect(await storedReport(storeOf({}), 'shops', hour, 'r1')).toBe(undefined);
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['cut', JSON.stringify(report).slice(0, 100), /is no JSON \(.*\): it was changed or cut\. Put it back from a copy/],
    ['empty', '', /is no JSON/],
    ['no JSON', '<html>', /is no JSON/],
    ['null', 'null', /is no report of a run \(the whole: /],
    ['a list', '[]', /is no report of a run \(the whole: /],
    ['of another shape', JSON.stringify({ ...report, stages: {} }), /is no report of a run \(stages: /],
    [
      'without a time',
      JSON.stringify({ ...report, startedAt: 'soon' }),
      /is no report of a run \(startedAt: is no time\)/,
    ],
  ];

  it.each([
    ...broken,
    ['of another run', JSON.stringify({ ...report, runId: 'r2' }), /is that of another run, r2 of shops 2026-11-24T03/],
  ] as const)('is named in a sentence where it is %s', async (_, text, sentence) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ObjectCorrupt',
      message: expect.stringMatching(sentence) as unknown,
    });
    await expect(read(text)).rejects.toThrow(`The report s3://b/${key} is`);
  });

  it.each(broken)('is named by whoever reads an hour where it is %s', async (_, text, sentence) => {
    const told = { code: 'ObjectCorrupt', message: expect.stringMatching(sentence) as unknown };
    const store = storeOf({
      [key]: text,
      [keys.done('shops', hour)]: text,
      [`${keys.hoursAll('shops')}2026-11-24T03/1.json`]: '{}',
    });
    await expect(storedReports(store, 'shops', hour)).rejects.toMatchObject(told);
    await expect(doneBefore(store, 'shops', '2026-11-24T04:00:00Z')).rejects.toMatchObject(told);
  });

  it('has its definition named, too, where that is cut', async () => {
    const definition = keys.attempt('shops', hour, 'r1', 'definition.json');
    const store = { ...storeOf({}), findJson: async () => JSON.parse('{"na') as unknown } as unknown as Store;
    const asked = storedDefinition(store, { pipeline: 'shops', hour, runId: 'r1' });
    await expect(asked).rejects.toMatchObject({ code: 'ObjectCorrupt' });
    await expect(asked).rejects.toThrow(`The definition s3://b/${definition} is no JSON (`);
  });

  it('is refused, or shown all the same, whatever is missing from it or stands in its place', async () => {
    for (const path of places(report)) {
      for (const other of [undefined, null, 7, 'x', {}, [null]]) {
        const broken = structuredClone(report) as Loose;
        const inner = path.slice(0, -1).reduce((one: Loose, name) => one[name], broken);
        const last = path.at(-1) ?? '';
        if (other !== undefined) inner[last] = other;
        else if (Array.isArray(inner)) inner.splice(Number(last), 1);
        else delete inner[last];
        const shown = async (): Promise<unknown> => {
          const found = (await read(JSON.stringify(broken))) as Loose;
          return [runPage({ report: found, madeAt: new Date(at) }), reportLines(found)];
        };
        const refused = await shown().then(
          () => undefined,
          (error: unknown) => (error instanceof SluiceError ? error.code : error),
        );
        expect([undefined, 'ObjectCorrupt'], `${path.join('.')}: ${JSON.stringify(other)}`).toContain(refused);
      }
    }
  });
});
