import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { cleanFile } from '../../src/inspecting/clean-file.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb/duckdb-engine.ts';
import { engineFor } from '../../src/stages/cleaning/engine-for.ts';
import { unattended, type StageDeps } from '../../src/stages/deps.ts';
import { anyHeader, anyTable } from '../helpers/any-cleaning.ts';
import { cleaningLaws } from '../helpers/cleaning-laws.ts';
import { jobOf, jobOfParts, told } from '../helpers/engine-lab.ts';
import { namedCases } from '../helpers/named-cases.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noSpark, testStack } from '../helpers/stack.ts';

describe.skipIf(noSpark)('Spark and DuckDB', () => {
  let deps: StageDeps;
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-spark-'));
    deps = stageDeps((await testStack()).environment, `spark-${randomBytes(4).toString('hex')}`);
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    deps.spark?.close();
    await deps.search.close();
    await rm(root, { recursive: true, force: true });
  });

  async function both(
    input: Partial<PipelineInput>,
    rows: readonly (readonly string[])[],
    header = anyHeader as readonly string[],
  ) {
    return bothOf(await jobOf(root, input, rows, header), rows.length);
  }

  async function bothOf(job: Awaited<ReturnType<typeof jobOf>>, rows: number) {
    const spark = await told(await engineFor('spark', rows, deps).clean({ ...job, context: unattended }));
    const duckdb = await told(await duckdbEngine.clean({ ...job, context: unattended }));
    await rm(job.folder, { recursive: true });
    return { spark, duckdb };
  }

  it.each(namedCases)('give the same for $name', async ({ definition, parts, header, clean }) => {
    const { spark, duckdb } = await bothOf(await jobOfParts(root, definition, parts, header), parts.flat().length);
    expect(spark).toEqual(duckdb);
    expect(spark.clean).toBe(clean ?? spark.clean);
  });

  it('Spark reads a mended row beside the parts that were left as they are, by names that differ in case', async () => {
    const folder = await mkdtemp(join(root, 'mended-'));
    const [path, fixes, out] = [join(folder, 'raw'), join(folder, 'fixes.ndjson'), join(folder, 'out')];
    const text = 'ID,id\na,1\nb\n';
    await writeFile(path, text);
    const file = createHash('sha256').update(text).digest('hex');
    await writeFile(fixes, JSON.stringify({ file, byteOffset: 10, set: { ID: 'b', id: '2' } }));
    const pipeline = pipelineSchema.parse({
      name: 'mended',
      source: { url: 'https://example.org/a.csv' },
      columns: { ID: { name: 'id', required: true }, id: { name: 'other' } },
      key: ['id'],
      engine: 'spark',
    });
    const given = { path, where: 'a.csv', pipeline, hour: '2026-01-01T00:00:00Z', fixes, out, folder };
    await cleanFile(given, unattended, deps);
    expect(await readFile(join(out, 'clean.csv'), 'utf8')).toBe('id,other\na,1\nb,2\n');
  });

  it.each(cleaningLaws)(
    'Spark keeps the law: $name (property)',
    async ({ holds }) => {
      const property = holds(async (definition, parts, header) => {
        const job = await jobOfParts(root, definition, parts, header);
        const found = await told(await engineFor('spark', 1, deps).clean({ ...job, context: unattended }));
        await rm(job.folder, { recursive: true });
        return found;
      });
      const kept = fc.assert(property, { numRuns: Number(process.env['SPARK_LAW_RUNS'] ?? 2) });
      await expect(kept).resolves.toBeUndefined();
    },
    600_000,
  );

  it('give the same bytes for any rows and rules (property)', async () => {
    const runs = Number(process.env['SPARK_RUNS'] ?? 15);
    const seed = process.env['SPARK_SEED'];
    await fc.assert(
      fc.asyncProperty(anyTable(300), async ([definition, rows]) => {
        const { spark, duckdb } = await both(definition, rows);
        expect(spark).toEqual(duckdb);
      }),
      { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
  }, 900_000);
});
