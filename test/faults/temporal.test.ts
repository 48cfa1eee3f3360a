import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker } from '../../src/client/cli/worker-process.ts';
import { ids } from '../../src/definition/names.ts';
import { writeBundle } from '../../src/workers/bundle.ts';
import { App } from './app.ts';
import { disturb, Lab, noFaults, stopMs, whole } from './lab.ts';
import { expectWhole, record, recordRuns } from './results.ts';

// Through Temporal, with workers as they are in real life. What they cost beside the same kill below Temporal is the heartbeat's time-out.

let lab: Lab;

beforeAll(async () => {
  if (!noFaults) lab = await Lab.open();
});

afterAll(async () => {
  await lab?.close();
});

describe.skipIf(noFaults).concurrent('a worker', () => {
  const often = ['completion:publish', 'land:after-manifest#2', 'index:after-bulk', 'report:before-done'];
  const seldom = [
    ...['completion:prepare', 'completion:importsource', 'completion:clean', 'completion:commithour'],
    ...['completion:indexbatch', 'completion:reconcile', 'completion:writereport'],
    ...['publish:after-send#3', 'land:before-manifest#2', 'land:after-part', 'land:after-batch-record'],
  ];

  it.each(whole ? [...often, ...seldom] : often)('killed at %s: its run goes on with another', async (point) => {
    const app = await App.start(lab, { SLUICE_FAIL_POINT: `${point}=crash` });
    try {
      const hour = lab.hour(2_000);
      const workflowId = await app.launch(hour);
      expect(await app.worker.ended).toBeNull();
      const healed = performance.now();
      await app.restart();
      const report = await app.client.runs.result(workflowId);
      const seconds = (performance.now() - healed) / 1000;
      expect(report).toMatchObject({ outcome: 'completed', equations: [{ holds: true }] });
      const verdict = await lab.check(hour);
      expectWhole(verdict);
      recordRuns('Worker killed, through Temporal', `SIGKILL at \`${point}\``, [verdict], seconds);
    } finally {
      await app.stop();
    }
  });

  it('whose log was cut before it was read halts, and never skips', async () => {
    const app = await App.start(lab);
    const kafka = new kafkajs.Kafka({
      brokers: (lab.environment['SLUICE_KAFKA_BROKERS'] ?? '').split(','),
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const admin = kafka.admin();
    try {
      const first = lab.hour(600, { publish: { partitions: 1, batchRows: 100 } });
      await app.client.runs.result(await app.launch(first));
      const consumer = app.client.temporal.workflow.getHandle(ids.consumer(first.pipeline.name, 0));
      await consumer.executeUpdate('pause');
      // The update answers at once; the activity behind it ends a moment later.
      await expect
        .poll(async () => (await consumer.describe()).raw.pendingActivities?.length, { timeout: 60_000, interval: 200 })
        .toBe(0);
      const second = lab.otherHour(first, 600);
      const workflowId = await app.launch(second);
      await app.untilStage(workflowId, 'land');
      await admin.connect();
      const topic = first.pipeline.name;
      // kafkajs deletes only in topics whose metadata it has come by.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '700' }] });
      await consumer.executeUpdate('resume');
      await expect(app.client.runs.result(workflowId)).rejects.toMatchObject({ code: 'LogTruncated' });
      expect(await consumer.query('state')).toMatchObject({ mode: 'halted', problem: { code: 'LogTruncated' } });
      const verdict = await lab.check(second);
      const [, chain, objects, documents] = verdict.hops;
      // Not a row of what came after the gap was landed: rows are missing, and it says so.
      expect([chain?.rows, objects?.rows, documents?.rows]).toEqual([0, 0, 0]);
      expect(verdict.problems).toContain('the hour has no record');
      record({
        group: 'Must stop',
        scenario:
          'low watermark moved past the position: consumer `halted`, run failed with LogTruncated, nothing landed behind the gap',
        ...{ runs: 1, rows: verdict.rows, lost: 0, doubled: verdict.doubled },
      });
    } finally {
      await admin.disconnect();
      await app.stop();
    }
  });
});

describe.skipIf(noFaults)('the Temporal server', () => {
  it('gone while a worker starts: the worker ends and says why, and does not hang', async () => {
    const [host = '', port = ''] = (lab.environment['TEMPORAL_ADDRESS'] ?? '').split(':');
    const sockets = new Set<Socket>();
    const front = createServer((client) => {
      const server = connect(Number(port), host);
      for (const socket of [client, server]) sockets.add(socket.on('error', () => {}));
      client.pipe(server).pipe(client);
    });
    await new Promise<void>((resolve) => front.listen(0, host, resolve));
    const environment = {
      ...lab.environment,
      TEMPORAL_ADDRESS: `${host}:${(front.address() as AddressInfo).port}`,
      SLUICE_WORKER_BUNDLE: join(lab.folder, 'bundle.fifo'),
    };
    const bundle = join(lab.folder, 'bundle.js');
    await writeBundle(bundle);
    await promisify(execFile)('mkfifo', [environment.SLUICE_WORKER_BUNDLE]);
    const started = startWorker(environment, join(lab.folder, 'gone.log'));
    // It opens once the worker reads at the other end: connected by then, and not yet serving.
    const fifo = await open(environment.SLUICE_WORKER_BUNDLE, 'w');
    front.close();
    for (const socket of sockets) socket.destroy();
    await pipeline(createReadStream(bundle), fifo.createWriteStream());
    await expect(started).rejects.toThrow(/did not start: The worker stopped: /);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)('%s: runs on their way and consumers that wait go on', async (how) => {
    const app = await App.start(lab);
    try {
      const idle = lab.hour(600);
      await app.client.runs.result(await app.launch(idle));
      const busy = lab.hour(6_000, { publish: { partitions: 2, batchRows: 300, rowsPerSecond: 500 } });
      const running = await app.launch(busy);
      await app.untilStage(running, 'publish');
      await disturb('temporal', how);
      const healed = performance.now();
      const next = lab.otherHour(idle, 600);
      const later = await app.launch(next);
      const reports = await Promise.all([app.client.runs.result(running), app.client.runs.result(later)]);
      const seconds = (performance.now() - healed) / 1000;
      expect(reports.map(({ outcome }) => outcome)).toEqual(['completed', 'completed']);
      const verdicts = [await lab.check(idle), await lab.check(busy), await lab.check(next)];
      for (const verdict of verdicts) expectWhole(verdict);
      const what = how === 'SIGKILL' ? 'SIGKILL and restart' : `SIGSTOP for ${stopMs / 1000} s`;
      recordRuns('Server', `temporal: ${what}, one run publishing, one consumer idle`, verdicts, seconds);
    } finally {
      await app.stop();
    }
  });
});
