import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { clean } from '../../src/stages/cleaning/clean.ts';
import { saveLocalCopy } from '../../src/stages/cleaning/local-copy.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { importSource } from '../../src/stages/importing/import-source.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const hour = toLogicalHour(new Date());
const data = resolve('pipelines/data');

describe.skipIf(noStack)('cleaning on a real object store', () => {
  let deps: StageDeps;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-clean-'));
    const given = stageDeps((await testStack()).environment, `clean-${randomBytes(4).toString('hex')}`);
    deps = {
      ...given,
      settings: { ...given.settings, fileRoots: [data, folder], localCopies: join(folder, 'copies') },
    };
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await deps.search.close();
  });

  async function run(definition: PipelineInput) {
    const pipeline = pipelineSchema.parse(definition);
    const flags = { refetch: true, useCurrent: false, force: true };
    const imported = await importSource(deps, { pipeline, hour, ...flags }, unattended);
    return { pipeline, cleaned: await clean(deps, { pipeline, hour, imported }, unattended) };
  }

  async function textOf(uri: string): Promise<string> {
    return (await deps.store.get(deps.store.keyOf(uri))).toString();
  }

  async function csv(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return pathToFileURL(path).href;
  }

  it('accounts for every row of the real file, pads the codes, and aggregates as an independent query does', async () => {
    const definition = parse(await readFile('pipelines/broadband.yaml', 'utf8')) as PipelineInput;
    const path = join(data, 'broadband_data_zipcode.csv');
    const { pipeline, cleaned } = await run({
      ...definition,
      source: { ...definition.source, url: pathToFileURL(path).href },
    });
    const [main, states] = cleaned.batches;
    expect(main?.rows).toEqual({ read: 32_735, clean: 32_735, duplicates: 0, filtered: 0, rejected: 0 });
    expect(cleaned.quality.map(({ level }) => level)).toEqual(['ok', 'ok']);
    expect(states?.rows.clean).toBe(51);
    const copy = await saveLocalCopy(deps, { pipeline, hour, clean: main!.clean });
    const aggregated = join(folder, 'states.csv');
    await writeFile(aggregated, await textOf(states!.clean.uri));

    const connection = await (await DuckDBInstance.create()).connect();
    const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS();
    const padded = `SELECT count(*) FILTER (zip LIKE '0%'), min(length(zip)), min(length(county_id)) FROM read_csv('${copy}', all_varchar = true)`;
    expect((await ask(padded))[0]).toEqual([2406n, 5n, 5n]);
    const off = await ask(`WITH raw AS (SELECT "ST" AS state, count(*) AS zips,
        avg("BROADBAND USAGE"::DOUBLE) AS mean, max("BROADBAND USAGE"::DOUBLE) AS most FROM read_csv('${path}', all_varchar = true) GROUP BY 1)
      SELECT count(*), max(abs(raw.mean - ours.usage_mean::DOUBLE)), max(abs(raw.most - ours.usage_max::DOUBLE)),
        max(abs(raw.zips - ours.zips::INT)) FROM raw JOIN read_csv('${aggregated}', all_varchar = true) ours USING (state)`);
    expect(off[0]?.[0]).toBe(51n);
    expect(off[0]?.[1]).toBeLessThan(1e-9);
    expect([off[0]?.[2], Number(off[0]?.[3])]).toEqual([0, 0]);
  });

  it('puts each row into one bucket, and says of each rejected one where it stood and why', async () => {
    const url = await csv(
      'dirty.csv',
      'id,amount,kind\n1, 1.50 ,a\n1,2,a\n2,x,a\n3,,b\n4,3,c\n5,4\n6,-0.250,""\n,5,a\n',
    );
    const { cleaned } = await run({
      name: 'dirty',
      source: { url },
      columns: {
        id: { name: 'id', required: true },
        amount: { name: 'amount', type: 'decimal', precision: 6, scale: 3, onMissing: 'drop' },
        kind: { name: 'kind', missing: ['-'] },
      },
      key: ['id'],
      filter: { not: { column: 'kind', is: 'eq', value: 'c' } },
      quality: { rejectedPercent: { block: 10 } },
    });
    const [main] = cleaned.batches;
    expect(main?.rows).toEqual({ read: 8, clean: 2, duplicates: 1, filtered: 2, rejected: 3 });
    expect(await textOf(main!.clean.uri)).toBe('id,amount,kind\n1,1.5,a\n6,-0.25,""\n');
    const rejects = (await textOf(main!.rejects.uri))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { row: number });
    expect(rejects.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual([3, 6, 8]);
    expect(rejects).toContainEqual(
      expect.objectContaining({ row: 3, line: 4, column: 'amount', rule: 'type', value: 'x' }),
    );
    expect(cleaned.rejectedBy).toEqual({ 'amount type': 1, 'id required': 1, 'row width': 1 });
    expect(cleaned.quality).toEqual([
      {
        gate: 'rejectedPercent',
        level: 'block',
        sentence: '3 of 8 rows were rejected (37.50 %); the bound that blocks is 10 %.',
      },
    ]);
  });

  it('gives an exact mean and sum, and empty results where nothing is there', async () => {
    const url = await csv('sums.csv', 'id,g,v\n1,a,0.1\n2,a,0.2\n3,a,\n4,b,-1\n5,b,0\n6,b,0\n7,c,\n');
    const { cleaned } = await run({
      name: 'sums',
      source: { url },
      columns: {
        id: { name: 'id', required: true },
        g: { name: 'g', required: true },
        v: { name: 'v', type: 'decimal', precision: 6, scale: 2 },
      },
      key: ['id'],
      aggregate: [
        { name: 'by_g', groupBy: ['g'], measures: { n: { count: '*' }, total: { sum: 'v' }, mean: { mean: 'v' } } },
      ],
    });
    expect(await textOf(cleaned.batches[1]!.clean.uri)).toBe(
      'g,n,total,mean\na,3,0.3,0.15\nb,3,-1,-0.333333333\nc,1,,\n',
    );
  });
});
