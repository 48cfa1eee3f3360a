import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { ids, keys } from '../../src/definition/names.ts';
import { TestApp } from '../helpers/app.ts';
import { keysBelow } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';
import { untilStage } from '../helpers/until-stage.ts';

const csv = (rows: number): string =>
  ['id,kind,amount', ...Array.from({ length: rows }, (_, at) => `r${at},k${at % 3},${at / 8}`)].join('\n') + '\n';

describe.skipIf(noStack)('a worker that is told to stop', () => {
  let app: TestApp | undefined;
  let second: WorkerProcess | undefined;

  /** Runs that nobody ends: another test's worker would take them up. */
  const held: string[] = [];

  afterEach(async () => {
    await second?.stop();
    second = undefined;
    for (const id of held.splice(0)) await app?.client.temporal.workflow.getHandle(id).terminate();
    await app?.stop();
    app = undefined;
  });

  const log = (name: string): string => join(app?.folder ?? '', name);
  const said = async (what: RegExp): Promise<void> => {
    await expect.poll(() => readFile(log('worker.log'), 'utf8')).toMatch(what);
  };

  /** How each activity of a type was started: which attempt, and what the one before failed with. */
  async function started(workflowId: string, type: string): Promise<{ attempt: number; after: string | undefined }[]> {
    const { events = [] } = await app!.client.temporal.workflow.getHandle(workflowId).fetchHistory();
    const scheduled = (events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === type,
    );
    const wanted = new Set(scheduled.map(({ eventId }) => String(eventId)));
    return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: start }) =>
      start && wanted.has(String(start.scheduledEventId))
        ? [{ attempt: start.attempt ?? 0, after: start.lastFailure?.applicationFailureInfo?.type ?? undefined }]
        : [],
    );
  }

  it('hands a stage over where it is, which costs the stage none of its attempts', async () => {
    app = await TestApp.start({ SLUICE_WORKER_GRACE: '1s' });
    // A stage of this pipeline is tried once: a stop that counted would fail the run.
    const { pipeline } = app.define({ retries: { attempts: 1 } });
    const body = Buffer.from(csv(20_000));
    const asked: (string | undefined)[] = [];
    app.serve(pipeline, {
      body: '',
      handler: (request, response) => {
        const { range } = request.headers;
        asked.push(range);
        const from = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
        const headers = { 'content-type': 'text/csv', etag: '"one"', 'accept-ranges': 'bytes' };
        const whole = from > 0 || asked.length > 1;
        response.writeHead(from > 0 ? 206 : 200, {
          ...headers,
          'content-length': body.length - from,
          ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
        });
        // The first worker never gets the second half.
        if (whole) response.end(body.subarray(from));
        else response.write(body.subarray(0, body.length / 2));
      },
    });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    await expect.poll(() => asked.length, { timeout: 60_000 }).toBe(1);
    second = await startWorker(app.environment, log('second.log'));
    process.kill(app.worker.pid, 'SIGTERM');
    expect(await app.worker.ended).toBe(0);
    const report = await app.client.runs.result(workflowId);
    expect(report.equations[0]).toMatchObject({ holds: true, rows: { read: 20_000, indexed: 20_000 } });
    expect(await started(workflowId, 'importSource')).toEqual([{ attempt: 2, after: 'WorkerShutdown' }]);
    expect(await readFile(log('worker.log'), 'utf8')).toMatch(
      /worker stops: told to stop \(SIGTERM\).*\nworker stopped\n$/,
    );
  });

  it('hands its consumer over in the middle of a batch; each row lands once', async () => {
    app = await TestApp.start({ SLUICE_FAIL_POINT: 'land:before-manifest#3=wait:4000' });
    const { pipeline } = app.define({ land: { type: 'kind', maxRecords: 50 } });
    app.serve(pipeline, { body: csv(1_000) });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    const manifests = `landing/${pipeline.name}/_manifests/`;
    await expect
      .poll(async () => (await keysBelow(app!.environment, manifests)).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(2);
    const { SLUICE_FAIL_POINT: _, ...without } = app.environment;
    second = await startWorker(without, log('second.log'));
    process.kill(app.worker.pid, 'SIGTERM');
    expect(await app.worker.ended).toBe(0);
    const report = await app.client.runs.result(workflowId);
    expect(report.equations[0]).toMatchObject({ holds: true, rows: { read: 1_000, landed: 1_000, indexed: 1_000 } });
    const { raw } = await app.client.temporal.workflow.getHandle(ids.consumer(pipeline.name, 0)).describe();
    // Not missed heartbeats, and not an end: the attempt of the second worker is the next one.
    expect(raw.pendingActivities).toMatchObject([
      { attempt: 2, lastFailure: { applicationFailureInfo: { type: 'WorkerShutdown' } } },
    ]);
  });

  it('says that it is ready as long as it takes up work, and no longer once it is to stop', async () => {
    app = await TestApp.start({
      SLUICE_WORKER_HEALTH: '0',
      SLUICE_WORKER_QUEUES: 'light,compute=1,streaming=500',
      SLUICE_WORKER_GRACE: '10s',
    });
    const { pipeline } = app.define();
    const slow = Promise.withResolvers<void>();
    app.serve(pipeline, { body: '', handler: () => slow.resolve() });
    const text = await readFile(log('worker.log'), 'utf8');
    expect(text).toMatch(
      /worker ready: .*; queues light=20,compute=1,streaming=500; health at http:\/\/127\.0\.0\.1:\d+; pid/,
    );
    const url = /health at (\S+);/.exec(text)?.[1] ?? '';
    const ready = async (): Promise<[number, string]> => {
      const response = await fetch(`${url}/readyz`);
      return [response.status, ((await response.json()) as { message: string }).message];
    };
    expect(await ready()).toEqual([200, 'The worker takes up work.']);
    held.push((await app.client.runs.launch({ pipeline })).workflowId);
    await slow.promise;
    process.kill(app.worker.pid, 'SIGTERM');
    // Its stage has ten seconds of grace.
    const stops = 'The worker was told to stop, and hands over what it holds.';
    await expect.poll(ready).toEqual([503, stops]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await app.worker.ended).toBe(0);
  });

  it('ends at once when it is told twice', async () => {
    app = await TestApp.start({ SLUICE_WORKER_GRACE: '1m', SLUICE_WORKER_FORCE_AFTER: '2m' });
    const { pipeline } = app.define();
    const slow = Promise.withResolvers<void>();
    app.serve(pipeline, { body: '', handler: () => slow.resolve() });
    held.push((await app.client.runs.launch({ pipeline })).workflowId);
    await slow.promise;
    process.kill(app.worker.pid, 'SIGTERM');
    await said(/worker stops: told to stop/);
    // Within a second of the first, a second one is taken for the same.
    await wait(1_500);
    process.kill(app.worker.pid, 'SIGTERM');
    expect(await app.worker.ended).toBe(130);
  });

  it('leaves behind what does not stop in time, and says so', async () => {
    app = await TestApp.start({
      SLUICE_FAIL_POINT: 'import:before-record=wait:60000',
      SLUICE_WORKER_GRACE: '0s',
      SLUICE_WORKER_FORCE_AFTER: '2s',
    });
    const { pipeline } = app.define();
    app.serve(pipeline, { body: csv(3) });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    held.push(workflowId);
    await untilStage(app.client, workflowId, 'import');
    // The file lies in the store, and its record is what waits.
    const raw = async () => keysBelow(app!.environment, keys.raw(pipeline.name, ''));
    await expect.poll(raw).toHaveLength(1);
    await wait(1_000);
    process.kill(app.worker.pid, 'SIGTERM');
    expect(await app.worker.ended).toBe(1);
    expect(await readFile(log('worker.log'), 'utf8')).toMatch(
      /The worker stopped: something did not stop within 2 s; another worker takes it up once its heartbeat is missed\.\n$/,
    );
  });
});
