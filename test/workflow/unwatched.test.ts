import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker, type WorkerProcess } from '../../src/client/cli/worker-process.ts';
import { runSluice } from '../helpers/cli.ts';
import { makeNamespace } from '../helpers/namespace.ts';
import { noTemporal, program } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a queue that nobody serves', () => {
  let temporal: TestWorkflowEnvironment;
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-unwatched-'));
    temporal = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: program ?? '' } },
    });
    await makeNamespace(temporal.address, 'unwatched');
    environment = {
      ...process.env,
      ...{ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'unwatched', SLUICE_SMTP_URL: 'smtp://127.0.0.1:1' },
      ...{ SLUICE_KAFKA_BROKERS: '127.0.0.1:1', SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1' },
      SLUICE_ELASTICSEARCH_URL: 'http://127.0.0.1:1',
    };
  });

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await temporal?.teardown();
    await rm(folder, { recursive: true, force: true });
  });

  const nobody = 'Nobody serves the queue sluice-watch: ';
  const start = async (queues: string): Promise<string> => {
    const log = join(folder, `${queues}.log`);
    workers.push(await startWorker({ ...environment, SLUICE_WORKER_QUEUES: queues }, log));
    return log;
  };
  const checked = async (): Promise<unknown> => {
    const { servers } = JSON.parse((await runSluice(['check', '--json'], environment)).out) as {
      servers: { server: string; ok: boolean; sentence: string }[];
    };
    return servers.find(({ server }) => server === 'Watch');
  };

  it('and that alerts need is named by the worker that needs it, and by check; no more once it is served', async () => {
    const log = await start('light');
    await expect
      .poll(checked, { timeout: 60_000 })
      .toEqual({ server: 'Watch', ok: false, sentence: expect.stringContaining(nobody) as string });
    await expect.poll(() => readFile(log, 'utf8'), { timeout: 120_000 }).toContain(`WARN ${nobody}`);
    await start('watch');
    await expect.poll(checked, { timeout: 60_000 }).toBeUndefined();
    expect((await readFile(log, 'utf8')).split(nobody)).toHaveLength(2);
  });
});
