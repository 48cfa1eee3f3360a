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
import { keys } from '../../src/definition/names.ts';
import type { HourRecord } from '../../src/definition/refs.ts';
import { clean } from '../../src/stages/cleaning/clean.ts';
import { committedHours, isStale, seenHours } from '../../src/stages/cleaning/earlier-hours.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
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

  it('computes columns once, rejects where that fails, and gives nothing where an operand is missing', async () => {
    const url = await csv('derive.csv', 'id,n,of,at\n1,1,3,2024-05-06\n2,5,,2024-05-06\n3,1,0,x\n4,-2,3,2024-01-01\n');
    const { cleaned } = await run({
      name: 'derived',
      source: { url },
      columns: {
        id: { name: 'id', required: true },
        n: { name: 'n', type: 'integer' },
        of: { name: 'of', type: 'integer', missing: ['', '0'] },
        at: { name: 'at', type: 'date' },
      },
      key: ['id'],
      contract: { types: 'evolve' },
      derive: {
        share: { expression: 'double(n) / double(of)', type: 'decimal', precision: 8, scale: 4 },
        bad: { expression: 'n < 0 ? 1 / (n + 2) : 1', type: 'integer' },
        text: { expression: 'share == null ? "?" : string(n) + "/" + string(of)' },
      },
      aggregate: [{ name: 'all', groupBy: ['text'], measures: { share: { max: 'share' }, n: { count: '*' } } }],
    });
    const [main, all] = cleaned.batches;
    expect(await textOf(main!.clean.uri)).toBe(
      'id,n,of,at,n_text,of_text,at_text,share,bad,text\n1,1,3,2024-05-06,,,,0.3333,1,1/3\n2,5,,2024-05-06,,,,,1,?\n3,1,,,,,x,,1,?\n',
    );
    expect(await textOf(all!.clean.uri)).toBe('text,share,n\n1/3,0.3333,1\n?,,2\n');
    expect(main?.rows).toEqual({ read: 4, clean: 3, duplicates: 0, filtered: 0, rejected: 1 });
    expect(JSON.parse(await textOf(main!.rejects.uri))).toMatchObject({
      row: 4,
      column: 'bad',
      rule: 'derive',
      raw: '4,-2,3,2024-01-01',
    });
  });

  it('measures medians, quantiles and different values exactly', async () => {
    const url = await csv('quantiles.csv', 'id,g,v\n1,a,0.1\n2,a,0.2\n3,a,\n4,b,-1\n5,b,0\n6,b,7\n7,c,\n8,b,7\n');
    const { cleaned } = await run({
      name: 'quantiles',
      source: { url },
      columns: {
        id: { name: 'id', required: true },
        g: { name: 'g', required: true },
        v: { name: 'v', type: 'decimal', precision: 6, scale: 2 },
      },
      aggregate: [
        {
          name: 'by_g',
          groupBy: ['g'],
          measures: {
            half: { median: 'v' },
            low: { quantile: 'v', at: 0.25 },
            high: { quantile: 'v', at: 1 },
            kinds: { distinct: 'v' },
          },
        },
      ],
    });
    expect(await textOf(cleaned.batches[1]!.clean.uri)).toBe(
      'g,half,low,high,kinds\na,0.15,0.1,0.2,2\nb,3.5,-1,7,3\nc,,,,0\n',
    );
  });

  it('takes keys out that an earlier hour has, and says which hours those were', async () => {
    const name = `seen-${randomBytes(3).toString('hex')}`;
    const definition = (url: string): PipelineInput => ({
      name,
      source: { url },
      columns: { id: { name: 'id', required: true }, v: { name: 'v' } },
      key: ['id'],
      duplicates: { acrossRuns: true },
      quality: { rowChangePercent: { runs: 3, block: 40 }, missingPercent: { v: { warn: 10 } } },
    });
    const hours = [0, 1, 2].map((n) => toLogicalHour(new Date(Date.UTC(2026, 0, 1, n))));
    const commit = async (n: number, text: string) => {
      const pipeline = pipelineSchema.parse(definition(await csv(`${name}-${n}.csv`, text)));
      const flags = { refetch: false, useCurrent: true, force: true };
      const at = hours[n]!;
      const imported = await importSource(deps, { pipeline, hour: at, ...flags }, unattended);
      const cleaned = await clean(deps, { pipeline, hour: at, imported }, unattended);
      const landed = { batch: cleaned.batches[0]!.batchId, rows: cleaned.batches[0]!.rows.clean } as never;
      const record = await commitHour(deps, {
        stream: name,
        hour: at,
        rawSha: imported.record.raw.sha256,
        definitionSha: imported.definitionSha,
        content: { landed },
        ...(cleaned.seen ? { seen: cleaned.seen } : {}),
      });
      return { cleaned, record };
    };
    const stale = async ({ hour, seen }: HourRecord) =>
      isStale({ ...(seen ? { seen } : {}) }, seenHours(await committedHours(deps, name, hour)));
    const first = await commit(0, 'id,v\n1,a\n2,b\n3,c\n');
    const second = await commit(1, 'id,v\n2,b\n4,\n1,other\n5,e\n');
    expect(await textOf(second.cleaned.batches[0]!.clean.uri)).toBe('id,v\n4,\n5,e\n');
    expect(second.cleaned.batches[0]!.rows).toMatchObject({ read: 4, clean: 2, duplicates: 2 });
    expect(second.cleaned.seen?.hours).toBe(1);
    expect(second.cleaned.quality.map(({ gate, level, sentence }) => [gate, level, sentence])).toEqual([
      ['missingPercent.v', 'warn', '1 of 4 rows have no v (25.00 %); the bound that warns is 10 %.'],
      ['rowChangePercent', 'ok', '2 rows are clean, 33.33 % fewer than the 3 of the last 1 hours (median).'],
    ]);
    expect(await stale(second.record)).toBe(false);
    expect(first.record.seen).toEqual({ hours: 0, sha256: expect.any(String) as string });
    const third = await commit(2, 'v,id,w\nx,1,\n');
    const told = JSON.parse(await textOf(third.cleaned.batches[0]!.report.uri)) as { schemaDiff?: unknown };
    expect(told.schemaDiff).toEqual({
      since: hours[1],
      header: { added: ['w'], removed: [], reordered: true },
      columns: { added: [], removed: [], changed: [] },
    });
    expect(JSON.parse(await textOf(second.cleaned.batches[0]!.report.uri))).not.toHaveProperty('schemaDiff');
    expect(third.cleaned.quality[1]).toMatchObject({ level: 'block' });
    await commit(0, 'id,v\n1,a\n');
    // The hour was replayed from what had been fetched, so nothing is stale; other bytes make another generation.
    expect(await stale(second.record)).toBe(false);
    await commitHour(deps, {
      stream: name,
      hour: hours[0]!,
      rawSha: 'x',
      definitionSha: 'x',
      content: { landed: { batch: 'other', rows: 1 } as never },
    });
    expect(await stale(second.record)).toBe(true);
  });

  it('carries unknown columns along, rejects rows for them, or fails, as the contract says', async () => {
    const url = await csv('drift.csv', 'id,New Column!,ÉTAT\n1,x,\n2,,y\n3,,\n');
    const definition = (columns: 'evolve' | 'discard_row' | 'discard_value'): PipelineInput => ({
      name: 'drift',
      source: { url },
      columns: { id: { name: 'id', required: true } },
      key: ['id'],
      contract: { columns },
    });
    const evolved = (await run(definition('evolve'))).cleaned;
    expect(evolved.evolved).toEqual([
      { source: 'New Column!', name: 'new_column' },
      { source: 'ÉTAT', name: 'etat' },
    ]);
    expect(await textOf(evolved.batches[0]!.clean.uri)).toBe('id,new_column,etat\n1,x,\n2,,y\n3,,\n');
    const strict = (await run(definition('discard_row'))).cleaned;
    expect(strict.rejectedBy).toEqual({ 'New Column! contract': 1, 'ÉTAT contract': 1 });
    const plain = (await run(definition('discard_value'))).cleaned;
    expect(await textOf(plain.batches[0]!.clean.uri)).toBe('id\n1\n2\n3\n');
    const frozen = {
      ...definition('discard_value'),
      contract: { types: 'freeze' },
      columns: { ÉTAT: { name: 'n', type: 'integer' } },
      key: [],
    };
    await expect(run(frozen as PipelineInput)).rejects.toThrow(
      /Texts are no values of their columns: n \(type\) in 1 rows; contract.types is freeze/,
    );
  });

  it('mends rows by an overlay: those of the rules, and those that were no record', async () => {
    const name = `mend-${randomBytes(3).toString('hex')}`;
    const url = await csv('mend.csv', 'id,v\n1,x\n2,5\n3\n4,7\n');
    const definition: PipelineInput = {
      name,
      source: { url },
      columns: { id: { name: 'id', required: true }, v: { name: 'v', type: 'integer' } },
      key: ['id'],
    };
    const before = await run(definition);
    const rejects = (await textOf(before.cleaned.batches[0]!.rejects.uri))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; byteOffset: number; rule: string; raw: string });
    expect(rejects.map(({ rule, raw }) => [rule, raw])).toEqual([
      ['width', '3'],
      ['type', '1,x'],
    ]);
    const fix = (n: number, set: object) =>
      JSON.stringify({ file: rejects[n]!.file, byteOffset: rejects[n]!.byteOffset, set });
    await deps.store.put(
      keys.fix(name, hour, 1),
      Buffer.from(`${fix(0, { id: '3', v: 'wrong' })}\n${fix(1, { v: '1' })}\n`),
    );
    await deps.store.put(keys.fix(name, hour, 2), Buffer.from(`${fix(0, { v: '6' })}\n`));
    for (const engine of ['danfojs', 'duckdb'] as const) {
      const after = await run({ ...definition, engine });
      expect(await textOf(after.cleaned.batches[0]!.clean.uri)).toBe('id,v\n1,1\n2,5\n3,6\n4,7\n');
      expect(after.cleaned.batches[0]!.rows).toEqual({ read: 4, clean: 4, duplicates: 0, filtered: 0, rejected: 0 });
      expect(after.cleaned.rejectedBy).toEqual({});
    }
    await deps.store.put(keys.fix(name, hour, 3), Buffer.from(`${fix(0, { w: '6' })}\n`));
    await expect(run(definition)).rejects.toThrow('A fix sets "w", and the file has id, v.');
  });
});
