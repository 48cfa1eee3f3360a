import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { clean } from '../../src/stages/cleaning/clean.ts';
import type { CleanReport } from '../../src/stages/cleaning/clean-report.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noSpark, noStack, testStack } from '../helpers/stack.ts';

const data = resolve('pipelines/data');
const engines = ['danfojs', 'duckdb', ...(noSpark ? [] : (['spark'] as const))] as const;
const titled = 'broadband_data_2020October_with_title_rows_44bb4ab.csv';

/**
 * What the real files come to, by every engine. Other bytes than these are other batches, topics and documents for
 * everybody who has run these hours before. They change with the files, with the columns, key or rules of the definition,
 * with the order of rows or columns, and with how a value is written as text; nothing else may change them.
 */
const runs: readonly { what: string; definition: string; files: string; rows: readonly number[]; sha256: string }[] = [
  {
    what: 'the ZIP codes',
    definition: 'broadband.yaml',
    files: 'broadband_data_zipcode.csv',
    rows: [32_735, 32_735, 0],
    sha256: '0dd28a68024263ad7749720cf986502e1681072c284e88b06b9114df64b80e8c',
  },
  {
    what: 'both county files',
    definition: 'counties.yaml',
    files: 'broadband_data_{2019November,2020October}.csv',
    rows: [6_285, 6_285, 0],
    sha256: '6772835ffc6c98b98652fb17616c06a7f428991066bdda5061c209c0c75c6858',
  },
  {
    what: 'the county file below 18 lines of notes',
    definition: 'counties.yaml',
    files: titled,
    rows: [3_142, 3_142, 0],
    sha256: '5501037993321faa3a18fd3ab240a06443a9999f286768766d85c369d9c93156',
  },
  {
    what: 'all county files, of which two say the same',
    definition: 'counties.yaml',
    files: 'broadband_data_20*.csv',
    rows: [9_427, 6_285, 3_142],
    sha256: '6772835ffc6c98b98652fb17616c06a7f428991066bdda5061c209c0c75c6858',
  },
];

describe.skipIf(noStack)('the real files, by every engine', () => {
  let deps: StageDeps;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-real-'));
    const given = stageDeps((await testStack()).environment, `real-${randomBytes(4).toString('hex')}`);
    deps = { ...given, settings: { ...given.settings, fileRoots: [data] } };
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    deps.spark?.close();
    await deps.search.close();
    await rm(folder, { recursive: true, force: true });
  });

  const textOf = async (uri: string): Promise<string> => (await deps.store.get(deps.store.keyOf(uri))).toString();

  /** All that an engine makes of a file, but for who it was and how long it took. */
  async function made(definition: string, files: string, engine: Pipeline['engine'], more: Partial<Pipeline> = {}) {
    const shipped = await loadDefinition(resolve('pipelines', definition));
    const source = { ...shipped.source, url: `${pathToFileURL(data).href}/${files}` };
    const pipeline = { ...shipped, ...more, source, engine };
    const hour = toLogicalHour(new Date());
    const flags = { refetch: true, useCurrent: false, force: true };
    const imported = await importSource(deps, { pipeline, hour, ...flags }, unattended);
    const cleaned = await clean(deps, { pipeline, hour, imported }, unattended);
    expect(cleaned.engine).toBe(engine);
    const [main] = cleaned.batches;
    if (!main) throw new Error('nothing was cleaned');
    const { timings: _timings, engine: _engine, ...report } = JSON.parse(await textOf(main.report.uri)) as CleanReport;
    const aggregates = cleaned.batches.slice(1).map(async ({ dataset, rows, checksum, batchId, clean: { uri } }) => ({
      ...{ dataset, rows, checksum, batchId },
      text: await textOf(uri),
    }));
    return {
      sha256: main.clean.sha256,
      batchId: main.batchId,
      rows: main.rows,
      checksum: main.checksum,
      rejects: await textOf(main.rejects.uri),
      aggregates: await Promise.all(aggregates),
      rejectedBy: cleaned.rejectedBy,
      quality: cleaned.quality,
      report,
    };
  }

  it.each(runs)('$what: the same bytes, counts, aggregates and report', async ({ definition, files, rows, sha256 }) => {
    const [read, cleaned, duplicates] = rows;
    const first = await made(definition, files, 'danfojs');
    expect(first.rows).toEqual({ read, clean: cleaned, duplicates, filtered: 0, rejected: 0 });
    for (const engine of engines.slice(1)) expect(await made(definition, files, engine)).toEqual(first);
    expect(first.sha256).toBe(sha256);
  });

  it('rows that break a rule: the same ones, for the same reasons', async () => {
    const { columns } = await loadDefinition(resolve('pipelines/counties.yaml'));
    const strict = Object.fromEntries(
      Object.entries(columns).map(([source, column]) => [
        source,
        column.name === 'usage' ? { ...column, required: true, range: { min: 0.05, max: 0.9 } } : column,
      ]),
    );
    const files = 'broadband_data_20*.csv';
    const first = await made('counties.yaml', files, 'danfojs', { columns: strict });
    expect(first.rejectedBy).toEqual({ 'usage range': 387, 'usage required': 31 });
    for (const engine of engines.slice(1)) {
      expect(await made('counties.yaml', files, engine, { columns: strict })).toEqual(first);
    }
  });

  it('the trend is what a query that knows nothing of us finds in the files', async () => {
    const { aggregates } = await made('counties.yaml', 'broadband_data_{2019November,2020October}.csv', 'duckdb');
    const connection = await (await DuckDBInstance.create()).connect();
    const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();
    // A dash by itself would be cast to 0.
    const number = (cell: string): string => `CAST(nullif(trim(${cell}), '-') AS DECIMAL(6, 4))`;
    const file = (name: string, date: string): string => `
      SELECT '${date}' AS date, trim(c0) AS state, ${number('c3')} AS availability, ${number('c4')} AS usage
      FROM read_csv('${join(data, name)}', header = false, skip = 1, all_varchar = true, names = ['c0', 'c1', 'c2', 'c3', 'c4'])`;
    const both = `${file('broadband_data_2019November.csv', '2019-11-01')} UNION ALL ${file('broadband_data_2020October.csv', '2020-10-01')}`;
    const measures = ['usage', 'availability'].flatMap((name) => [
      `round(avg(${name}::DOUBLE), 9) AS ${name}_mean`,
      `median(${name}::DOUBLE) AS ${name}_median`,
      `min(${name})::DOUBLE AS ${name}_min`,
      `max(${name})::DOUBLE AS ${name}_max`,
    ]);
    for (const [at, keys] of [
      [0, 'date'],
      [1, 'state, date'],
    ] as const) {
      const path = join(folder, `aggregate-${at}.csv`);
      await writeFile(path, aggregates[at]?.text ?? '');
      const ours = await ask(`SELECT * FROM read_csv('${path}', all_varchar = true) ORDER BY ${keys}`);
      const theirs = await ask(
        `SELECT ${keys}, count(*) AS counties, ${measures.join(', ')} FROM (${both}) GROUP BY ${keys} ORDER BY ${keys}`,
      );
      expect(ours.length).toBe(at === 0 ? 2 : 102);
      // Their means are of doubles.
      const rounded = (rows: typeof ours) =>
        rows.map((row) =>
          Object.entries(row).map(([name, value]) => [
            name,
            keys.includes(name) ? value : Math.round(Number(value) * 1e8),
          ]),
        );
      expect(rounded(ours)).toEqual(rounded(theirs));
    }
  });
});
