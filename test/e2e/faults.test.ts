import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { untilStage } from '../helpers/until-stage.ts';
import { ids, keys } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { consume } from '../../src/stages/landing/consume.ts';
import { stageDeps } from '../helpers/servers.ts';
import { TestApp } from '../helpers/app.ts';
import { indexedOfRuns, keysBelow } from '../helpers/bystander.ts';
import { noStack, testStack } from '../helpers/stack.ts';
import { proxyOf, type TcpProxy } from '../helpers/tcp-proxy.ts';

describe.skipIf(noStack)('what goes wrong on the way', () => {
  let app: TestApp;
  let elasticsearch: TcpProxy;

  beforeAll(async () => {
    const { environment } = await testStack();
    elasticsearch = await proxyOf(new URL(environment['SLUICE_ELASTICSEARCH_URL'] ?? '').host);
    app = await TestApp.start({ SLUICE_ELASTICSEARCH_URL: `http://${elasticsearch.address}` });
  });

  afterAll(async () => {
    await app?.stop();
    await elasticsearch?.close();
  });

  const csv = (rows: number): string =>
    ['id,kind,amount', ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 3},${at / 8}`)].join('\n') + '\n';

  async function pausedConsumer(pipeline: Pipeline): Promise<void> {
    const handle = app.client.temporal.workflow.getHandle(ids.consumer(pipeline.name, 0));
    expect(await handle.executeUpdate('pause')).toMatchObject({ mode: 'paused' });
    // The update answers at once; the activity behind it ends a moment later.
    for (let tries = 0; tries < 900; tries += 1) {
      if ((await handle.describe()).raw.pendingActivities?.length === 0) return;
      await wait(100);
    }
    throw new Error('the consumer goes on reading');
  }

  /** Lands what is in the topic as a consumer does that dies before it can tell anybody. */
  async function landWithoutTelling(pipeline: Pipeline, rows: number): Promise<void> {
    const deps = stageDeps(app.environment);
    const [made] = await keysBelow(app.environment, keys.topics(pipeline.name));
    const topic = await deps.store.findJson<{ epoch: string; n: number }>(made ?? '');
    const stop = new AbortController();
    const { maxRecords, maxBytes } = pipeline.land;
    const input = {
      stream: pipeline.name,
      topic: pipeline.name,
      epoch: topic?.epoch ?? '',
      life: topic?.n ?? 0,
      partitions: pipeline.publish.partitions,
      shard: 0,
      maxRecords,
      maxBytes,
      abandonAfterMs: 86_400_000,
    };
    // A consumer that starts tells once more of what its predecessor landed last.
    const landed = async (record: { rows: number }): Promise<void> => {
      if (record.rows === rows) stop.abort();
    };
    await consume(deps, input, { signal: stop.signal, progress: () => {} }, { landed });
    await deps.search.close();
  }

  /** A pipeline whose first hour went through, so that its consumer runs. */
  async function warmPipeline(): Promise<Pipeline> {
    const { pipeline } = app.define();
    app.serve(pipeline, { body: csv(5) });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    expect((await app.client.runs.result(workflowId)).outcome).toBe('completed');
    return pipeline;
  }

  it('ends though nobody tells it that its batch has landed, and though it landed before the run waited', async () => {
    const pipeline = await warmPipeline();
    await pausedConsumer(pipeline);
    const hour = toLogicalHour(new Date());
    app.serve(pipeline, { body: csv(7) });
    const waiting = await app.client.runs.launch({ pipeline, hour, refetch: true });
    await untilStage(app.client, waiting.workflowId, 'land');
    await wait(1_000);
    await landWithoutTelling(pipeline, 7);
    // One missed signal: the wait of 15 s finds the fact.
    const report = await app.client.runs.result(waiting.workflowId);
    expect(report.equations[0]).toMatchObject({ holds: true, rows: { read: 7, indexed: 7 } });

    app.serve(pipeline, { body: csv(9) });
    const cancelled = await app.client.runs.launch({ pipeline, hour, refetch: true });
    await untilStage(app.client, cancelled.workflowId, 'land');
    await app.client.runs.cancel(cancelled.workflowId);
    await expect(app.client.runs.result(cancelled.workflowId)).rejects.toMatchObject({ code: 'Cancelled' });
    await landWithoutTelling(pipeline, 9);
    // Its batch is published and landed before it waits at all, and the consumer is paused still.
    const second = await app.client.runs.launch({ pipeline, hour, force: true });
    expect((await app.client.runs.result(second.workflowId)).equations[0]).toMatchObject({
      holds: true,
      rows: { read: 9, indexed: 9 },
    });
  });

  it('a run keeps its report while Elasticsearch is away, and the next run’s report brings it into the index', async () => {
    const { pipeline } = app.define({ retries: { attempts: 1 } });
    app.serve(pipeline, { body: csv(5) });
    const runOf = async (force = false) => {
      const { workflowId } = await app.client.runs.launch({ pipeline, force });
      return app.client.runs.result(workflowId);
    };
    await elasticsearch.close();
    try {
      await expect(runOf()).rejects.toMatchObject({ code: 'ElasticsearchUnavailable' });
    } finally {
      await elasticsearch.open();
    }
    const stored = await keysBelow(app.environment, keys.runs(pipeline.name));
    expect(stored.filter((key) => key.endsWith('/run.json'))).toHaveLength(1);
    const runs = async () => indexedOfRuns(app.environment, { pipeline: pipeline.name, kind: 'run' });
    expect(await runs()).toEqual([]);
    const { runId } = await runOf(true);
    const outcomes = new Map((await runs()).map(({ outcome, errorCode }) => [outcome, errorCode]));
    expect(outcomes).toEqual(
      new Map([
        ['completed', undefined],
        ['failed', 'ElasticsearchUnavailable'],
      ]),
    );
    expect((await runs()).map((run) => run['runId'])).toContain(runId);
  });

  it('a worker that is told to stop ends by itself, its consumers running', async () => {
    await warmPipeline();
    process.kill(app.worker.pid, 'SIGTERM');
    // It held the channel to its parent open, and was killed after half a minute.
    expect(await app.worker.ended).toBe(0);
    await app.restartWorker();
  });

  const page = '<!DOCTYPE html><html><head><title>data.csv at main</title></head><body>not the file</body></html>';
  it.each([
    ['a wrong address', { status: 404, body: 'not found' }, /404/],
    ['a page of a code host', { type: 'text/html', body: page }, /HTML/],
    ['an empty file', { body: '' }, /empty/],
    ['a file without the key column', { body: 'kind,amount\na,1\n' }, /"id"/],
  ])(
    'fails in one sentence, without retries, on %s',
    async (_what, served, sentence) => {
      const { input, pipeline } = app.define();
      app.serve(pipeline, served);
      const { code, out, err } = await app.cli(['run', await app.definitionFile(input), '--json']);
      const last = err.trimEnd().split('\n').at(-1) ?? '';
      const { error } = JSON.parse(out) as { error: { code: string; message: string } };
      expect(code).toBe(1);
      expect(error.message).toBe(last);
      expect(last).toMatch(sentence);
      expect(err).not.toMatch(/\n\s+at /);
      const { hour } = (await app.client.runs.progress(
        (await app.client.runs.list({ pipeline: pipeline.name, limit: 1 }))[0]?.workflowId ?? '',
      )) ?? {
        hour: '',
      };
      const { events } = await app.client.temporal.workflow.getHandle(ids.pipeline(pipeline.name, hour)).fetchHistory();
      const attempts = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
        started ? [started.attempt] : [],
      );
      expect(Math.max(...attempts.map(Number))).toBe(1);
      expect(await keysBelow(app.environment, `landing/${pipeline.name}/_hours/`)).toEqual([]);
    },
    60_000,
  );
});
