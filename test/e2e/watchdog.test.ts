import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { searchAttributes } from '../../src/definition/names.ts';
import { freePorts } from '../../stack/ports.ts';
import { TestApp } from '../helpers/app.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';
import { program } from '../helpers/temporal.ts';

const TIMEOUT_MS = 90_000;

/** A Temporal of the test's own, which it stops; a worker, which it kills; and `sluice serve`, which sees both. */
describe.skipIf(noStack || program === undefined)('the watchdog beside real servers', () => {
  const address = `${randomBytes(4).toString('hex')}@example.org`;
  const pings: string[] = [];
  let folder: string;
  let port: number;
  let temporal: ChildProcess;
  let deadman: Server;
  let app: TestApp;
  let served: ServedProcess;
  let name: string;

  const startTemporal = async (): Promise<void> => {
    temporal = spawn(
      program ?? '',
      [
        ...['server', 'start-dev', '--headless', '--port', String(port), '--log-level', 'never'],
        ...['--db-filename', join(folder, 'temporal.db')],
        // A worker that is well polls anew after so long: it is seen to the second, and not to the minute.
        ...['--dynamic-config-value', 'matching.longPollExpirationInterval="2s"'],
        ...Object.entries(searchAttributes).flatMap(([key, type]) => ['--search-attribute', `${key}=${type}`]),
      ],
      { stdio: 'ignore' },
    );
    await vi.waitUntil(() => listens(port), { timeout: TIMEOUT_MS, interval: 200 });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-watchdog-'));
    [port = 0] = await freePorts(1);
    await startTemporal();
    deadman = createServer((request, response) => {
      pings.push(`${request.method} ${request.url}`);
      response.end();
    });
    await new Promise<void>((resolve) => deadman.listen(0, '127.0.0.1', resolve));
    app = await TestApp.start({
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      // What watches is beside the API alone: this worker is the one that is killed.
      SLUICE_WORKER_QUEUES: 'light,compute,streaming',
      SLUICE_WATCH_EVERY: '2s',
      SLUICE_WATCH_TEMPORAL_AFTER: '6s',
      SLUICE_DEADMAN_URL: `http://127.0.0.1:${(deadman.address() as AddressInfo).port}/ping`,
    });
    const { input } = app.define({
      alerts: { email: { to: [address] }, policy: { group: '1s' } },
      watch: { workerGone: { after: '15s' }, schedulePaused: { after: '6s' } },
      schedule: { every: '1d' },
    });
    ({ name } = input);
    await app.cli(['schedule', 'apply', await app.definitionFile(input)]);
    served = await serveProcess(app.environment as NodeJS.ProcessEnv, [], true);
  }, 180_000);

  afterAll(async () => {
    await served?.stop();
    await app?.stop();
    deadman?.close();
    temporal?.kill('SIGKILL');
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function subjects(): Promise<string[]> {
    const inbox = new URL('/api/v1/search', app.environment['SLUICE_INBOX_URL']);
    inbox.searchParams.set('query', `to:${address}`);
    const { messages } = (await (await fetch(inbox)).json()) as { messages: { Subject: string }[] };
    return messages.map(({ Subject }) => Subject.replace(`Sluice: `, '').replace(`${name}: `, '')).toReversed();
  }
  /** That they are so many, and no more a while later. */
  async function mails(count: number): Promise<string[]> {
    await vi.waitUntil(async () => (await subjects()).length >= count, { timeout: TIMEOUT_MS, interval: 500 });
    await wait(3_000);
    return subjects();
  }

  it('sees a killed worker, a schedule that is forgotten and Temporal’s absence, each once, and each once that it is over', async () => {
    const told: string[] = [];
    const next = async (...expected: string[]): Promise<void> => {
      told.push(...expected);
      expect(await mails(told.length)).toEqual(told);
    };
    await vi.waitUntil(async () => (await app.client.watchdog.view()).state, { timeout: TIMEOUT_MS, interval: 500 });
    await wait(5_000);
    const well = await app.cli(['watchdog']);
    expect([well.code, well.out]).toEqual([0, expect.stringContaining('Watches 1 schedule')]);
    expect(pings).toContain('GET /ping');

    process.kill(app.worker.pid, 'SIGKILL');
    await next('no worker answers');
    const [incident] = await app.client.incidents.list();
    expect(incident).toMatchObject({ pipeline: name, rule: 'worker-gone', severity: 'critical' });
    expect(incident?.facts[0]).toEqual({ name: 'Queues without a worker', value: 'light, compute, streaming' });
    const ill = await app.cli(['watchdog']);
    expect([ill.code, ill.out]).toEqual([
      1,
      expect.stringMatching(/worker-gone {2}No worker has served the queues light, compute and streaming/),
    ]);
    await app.restartWorker();
    await next('Recovered: no worker answers');

    expect((await app.cli(['schedule', 'pause', name, '--note', 'while the source moves'])).code).toBe(0);
    await next('the schedule is paused');
    expect((await app.client.incidents.list())[0]?.sentence).toContain('The note says: while the source moves.');
    expect((await app.cli(['schedule', 'resume', name])).code).toBe(0);
    await next('Recovered: the schedule is paused');

    temporal.kill('SIGKILL');
    await next('Temporal does not answer');
    await startTemporal();
    await next('Recovered: Temporal does not answer');
  }, 300_000);
});

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
