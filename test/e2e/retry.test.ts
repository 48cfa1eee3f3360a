import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys, type StartStage } from '../../src/definition/names.ts';
import { untilStage } from '../helpers/until-stage.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { LaunchInput, RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow, readTopic, search, visibleHour } from '../helpers/bystander.ts';
import { FaultySearch } from '../helpers/faulty-search.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('an hour that is run again from a stage', () => {
  let app: TestApp;
  let elasticsearch: FaultySearch;
  let deps: StageDeps;

  beforeAll(async () => {
    const { environment } = await testStack();
    elasticsearch = await FaultySearch.start(environment['SLUICE_ELASTICSEARCH_URL'] ?? '');
    app = await TestApp.start({ SLUICE_ELASTICSEARCH_URL: elasticsearch.url });
    deps = stageDeps(app.environment);
  });

  afterAll(async () => {
    await deps?.search.close();
    await app?.stop();
    await elasticsearch?.stop();
  });

  const csv = (rows: number, last = 'x'): string =>
    [
      'id,kind,amount,extra',
      ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 3},${at / 8},${last}`),
      '',
    ].join('\n');
  /** Serves it, and counts who asks. */
  function serve(pipeline: Pipeline, body: string): { count: number } {
    const asked = { count: 0 };
    app.serve(pipeline, {
      body: '',
      handler: (_request, response) => {
        asked.count += 1;
        response.writeHead(200, { 'content-type': 'text/csv' }).end(body);
      },
    });
    return asked;
  }

  async function run(pipeline: Pipeline, input: Partial<LaunchInput> = {}): Promise<RunReport> {
    const launched = await app.client.runs.launch({ pipeline, ...input });
    expect(launched.outcome).toBe('started');
    return app.client.runs.result(launched.workflowId);
  }
  const stagesOf = ({ stages }: RunReport): string[] => stages.map(({ stage }) => stage);

  async function recordsIn(topic: string): Promise<number> {
    const watermarks = await deps.log.watermarks(topic);
    return [...watermarks.values()].reduce((sum, { high, low }) => sum + Number(high - low), 0);
  }

  /** All that readers can see of a pipeline, and all that they could come to see. */
  async function everything({ name, aggregate }: Pipeline) {
    const streams = [name, ...aggregate.map((one) => `${name}.${one.name}`)];
    const indices = ['', ...aggregate.map((one) => `.${one.name}`)].map((suffix) => `sluice-${name}${suffix}`);
    const documents = async (index: string): Promise<unknown> => {
      await search(app.environment, `${index}/_refresh`, {});
      return search(app.environment, `${index}/_search?filter_path=hits.hits`, {
        size: 1_000,
        version: true,
        sort: ['id', 'kind'].slice(index.includes('.') ? 1 : 0),
      });
    };
    return {
      objects: await Promise.all(streams.map((stream) => keysBelow(app.environment, `landing/${stream}/`))),
      topics: await Promise.all(streams.map(recordsIn)),
      documents: await Promise.all(indices.map(documents)),
    };
  }

  it('comes to the very same, whichever stage it begins at', async () => {
    const { pipeline } = app.define({
      contract: { columns: 'evolve' },
      aggregate: [{ name: 'by_kind', groupBy: ['kind'], measures: { rows: { count: '*' } } }],
    });
    const asked = serve(pipeline, csv(90));
    const first = await run(pipeline);
    const before = await everything(pipeline);
    // With an end marker for each of three partitions.
    expect(before.topics).toEqual([93, 6]);
    expect(JSON.stringify(before.documents)).toContain('"extra":"x"');
    const told = asked.count;

    const behindClean = ['reuse', 'prepare', 'evolve', 'quality', 'publish', 'land', 'commit', 'index', 'reconcile'];
    for (const [startFrom, stages] of [
      ['index', ['reuse', 'prepare', 'evolve', 'commit', 'index', 'reconcile']],
      ['publish', behindClean],
      ['clean', ['prepare', 'import', 'clean', ...behindClean.slice(2)]],
    ] as const) {
      const again = await run(pipeline, { hour: first.hour, startFrom });
      expect(stagesOf(again)).toEqual(stages);
      expect(again).toMatchObject({ startFrom, outcome: 'completed', batches: first.batches });
      expect(again).toMatchObject({ generations: { main: 1, by_kind: 1 }, source: { replayed: true } });
      expect(again.equations.map(({ holds, rows }) => [holds, rows])).toEqual(
        first.equations.map(({ rows }) => [true, rows]),
      );
      expect(again.schemas).toEqual(first.schemas);
      expect(again.clean).toEqual(first.clean);
    }
    expect(asked.count).toBe(told);
    expect(await everything(pipeline)).toEqual(before);

    const refetched = await run(pipeline, { hour: first.hour, startFrom: 'import' });
    expect(asked.count).toBeGreaterThan(told);
    expect(refetched).toMatchObject({ batches: first.batches, generations: { main: 1 }, source: { replayed: false } });
    expect(await everything(pipeline)).toEqual(before);
  });

  it('is published on where a killed worker stopped', async () => {
    const slow = app.define({ publish: { rowsPerSecond: 500, batchRows: 500 } }).pipeline;
    serve(slow, csv(20_000));
    const launched = await app.client.runs.launch({ pipeline: slow });
    await untilStage(app.client, launched.workflowId, 'publish');
    await app.client.runs.cancel(launched.workflowId);
    await expect(app.client.runs.result(launched.workflowId)).rejects.toMatchObject({ code: 'Cancelled' });
    const { hour } = launched;

    // How fast it is published shapes no row.
    const quicker = { ...slow, publish: { ...slow.publish, rowsPerSecond: 2_000 } };
    const again = await app.client.runs.launch({ pipeline: quicker, hour, startFrom: 'publish' });
    await untilStage(app.client, again.workflowId, 'publish');
    await wait(3_000);
    process.kill(app.worker.pid, 'SIGKILL');
    await app.worker.ended;
    await app.restartWorker();
    const report = await app.client.runs.result(again.workflowId);
    expect(stagesOf(report)).not.toContain('clean');
    expect(report.equations[0]).toMatchObject({
      holds: true,
      rows: { read: 20_000, published: 20_000, landed: 20_000, indexed: 20_000 },
    });
    const rows = (await readTopic(app.environment, slow.name)).filter(({ key }) => key !== '');
    expect(new Set(rows.map(({ key }) => key)).size).toBe(20_000);
    const { batch } = await visibleHour(app.environment, slow.name, hour);
    expect(batch).toMatchObject({ rows: 20_000, batch: report.batches['main'] });
  });

  it('is indexed where nothing else of it was left to do', async () => {
    const { pipeline } = app.define();
    const asked = serve(pipeline, csv(40));
    elasticsearch.fault = () => ({ kind: 'limit', bytes: 10 });
    const { workflowId, hour } = await app.client.runs.launch({ pipeline });
    await expect(app.client.runs.result(workflowId)).rejects.toMatchObject({ code: 'DocumentsRefused' });
    elasticsearch.fault = () => undefined;
    const told = asked.count;
    const records = await recordsIn(pipeline.name);
    const report = await run(pipeline, { hour, startFrom: 'index' });
    expect(stagesOf(report)).toEqual(['reuse', 'prepare', 'commit', 'index', 'reconcile']);
    expect(report.equations[0]).toMatchObject({
      ...{ holds: true, publishedCountedIn: 'publisher' },
      rows: { read: 40, clean: 40, published: 40, landed: 40, indexed: 40 },
    });
    expect(asked.count).toBe(told);
    expect(await recordsIn(pipeline.name)).toBe(records);
    expect(await search(app.environment, `sluice-${pipeline.name}/_count`)).toMatchObject({ count: 40 });
    expect(await app.client.runs.launch({ pipeline, hour })).toMatchObject({ outcome: 'joined' });
  });

  describe('is refused', () => {
    let pipeline: Pipeline;
    let hour: string;
    let done: RunReport;

    beforeAll(async () => {
      ({ pipeline } = app.define({ quality: { minRows: { block: 30 } } }));
      serve(pipeline, csv(40));
      done = await run(pipeline);
      ({ hour } = done);
    });

    const refusal = async (startFrom: StartStage, of: Pipeline = pipeline, at = hour): Promise<unknown> =>
      run(of, { hour: at, startFrom }).then(stagesOf, (error: unknown) => error);
    const saying = (code: string, sentence: string | RegExp): unknown =>
      expect.objectContaining({ code, message: expect.stringMatching(sentence) as unknown });

    it('where it never got so far, and told where to begin', async () => {
      const { pipeline: fresh } = app.define();
      const asked = serve(fresh, '<!DOCTYPE html><html></html>');
      const never = `The hour ${hour} of ${fresh.name} has not been imported: run it from import.`;
      for (const stage of ['clean', 'publish', 'index'] as const) {
        expect(await refusal(stage, fresh)).toEqual(saying('StageNotReached', never));
      }
      expect(asked.count).toBe(0);

      serve(fresh, 'id,kind\na,b\n');
      expect(await refusal('import', fresh)).toMatchObject({ code: 'SourceColumnMissing' });
      const uncleaned = `The hour ${hour} of ${fresh.name} has not been cleaned: run it from clean.`;
      expect(await refusal('publish', fresh)).toEqual(saying('StageNotReached', uncleaned));
      expect(await refusal('index', fresh)).toEqual(saying('StageNotReached', uncleaned));

      // Its gate lets nothing through.
      const { pipeline: blocked } = app.define({ quality: { minRows: { block: 30 } } });
      serve(blocked, csv(20));
      expect(await refusal('import', blocked)).toMatchObject({ code: 'QualityBlocked' });
      const uncommitted = `The hour ${hour} of ${blocked.name} has not been committed: run it from publish.`;
      expect(await refusal('index', blocked)).toEqual(saying('StageNotReached', uncommitted));
      expect(await refusal('publish', blocked)).toMatchObject({ code: 'QualityBlocked' });
      // Another gate is asked anew, and one that is stricter blocks what another had let through.
      const lower = { ...blocked, quality: { minRows: { block: 10 } } };
      expect(await refusal('publish', lower)).toContain('reconcile');
      const higher = { ...blocked, quality: { minRows: { block: 21 } } };
      expect(await refusal('publish', higher)).toEqual(saying('QualityBlocked', /^20 rows are clean; .* 21 rows/));
      expect(await refusal('index', higher)).toContain('reconcile');
    });

    it('where the definition makes other rows of the file now, and not for anything else', async () => {
      const otherKey = { ...pipeline, key: [], duplicates: { ...pipeline.duplicates, keep: 'last' as const } };
      for (const stage of ['publish', 'index'] as const) {
        expect(await refusal(stage, otherKey)).toEqual(
          saying('StageOutdated', `(key, duplicates have changed): run it from clean.`.replace(/[()]/g, '\\$&')),
        );
      }
      const other: Pipeline = {
        ...pipeline,
        retries: { ...pipeline.retries, attempts: 2 },
        alerts: { ...pipeline.alerts, email: { to: [`${randomBytes(4).toString('hex')}@example.org`] } },
        schedule: { ...pipeline.schedule, offset: '5m' },
      };
      expect(await refusal('index', other)).toContain('reconcile');
      expect(await refusal('publish', other)).toContain('reconcile');
    });

    it('where what is stored is not what cleaning would come to now', async () => {
      const fix = keys.fix(pipeline.name, hour, 1);
      await deps.store.put(fix, Buffer.from(`{"file":"${'0'.repeat(64)}","byteOffset":0,"set":{"id":"a"}}\n`));
      expect(await refusal('publish')).toEqual(
        saying('StageOutdated', /were mended since it was cleaned: run it from clean/),
      );
      await deps.store.remove([fix]);

      const cleaned = keys.batch(pipeline.name, hour, done.batches['main'] ?? '', 'clean.csv');
      const bytes = await deps.store.get(cleaned);
      await deps.store.remove([cleaned]);
      expect(await refusal('publish')).toEqual(
        saying('StageOutdated', /clean\.csv.* is not there any more: run it from clean/),
      );
      await deps.store.put(cleaned, bytes);

      // Fetched anew, and blocked before it is cleaned to its end.
      serve(pipeline, 'id,kind\na,b\n');
      expect(await refusal('import')).toMatchObject({ code: 'SourceColumnMissing' });
      expect(await refusal('publish')).toEqual(saying('StageOutdated', /was imported again since it was cleaned/));
      // What is committed can be indexed all the same.
      expect(await refusal('index')).toContain('reconcile');
    });

    it('where retention has removed it', async () => {
      const removed = { at: new Date().toISOString(), reason: 'a test' };
      const last = { stream: pipeline.name, hour, generation: 9, rows: 0, rawSha: '', definitionSha: '', removed };
      await deps.store.createJson(keys.hourRecord(pipeline.name, hour, 9), last);
      for (const stage of ['import', 'clean', 'publish', 'index'] as const) {
        expect(await refusal(stage)).toEqual(saying('HourRemoved', /was removed on/));
      }
    });
  });
});
