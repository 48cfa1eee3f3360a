import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWorkerSettings } from '../../src/connectors/worker-settings.ts';
import { givenOptions } from '../../src/workers/arguments.ts';
import { readBundle, writeBundle } from '../../src/workers/bundle.ts';
import { Health } from '../../src/workers/health.ts';
import { runSluice } from '../helpers/cli.ts';

describe('what a worker is told', () => {
  const read = (environment: Record<string, string>, ...argv: string[]) =>
    readWorkerSettings(environment, givenOptions(argv));

  it('has sizes and times where nothing is said', () => {
    const { queues, ...rest } = read({});
    expect([...queues]).toEqual([
      ['light', 20],
      ['compute', 2],
      ['streaming', 50],
      ['watch', 20],
    ]);
    expect(rest).toEqual({ graceMs: 5_000, forceMs: 20_000 });
    // What compose and systemd pass on where the user set nothing.
    expect(read({ SLUICE_WORKER_QUEUES: '', SLUICE_WORKER_HEALTH: '', TEMPORAL_WORKER_BUILD_ID: '' })).toEqual(
      read({}),
    );
  });

  it('takes it by option or by variable, the option first', () => {
    const environment = { SLUICE_WORKER_QUEUES: 'light', SLUICE_WORKER_GRACE: '1m', SLUICE_WORKER_FORCE_AFTER: '2m' };
    const settings = read(environment, '--queues', 'compute=4, streaming', '--health', '0.0.0.0:8090');
    expect([...settings.queues]).toEqual([
      ['compute', 4],
      ['streaming', 50],
    ]);
    expect(settings).toMatchObject({ graceMs: 60_000, forceMs: 120_000, health: { host: '0.0.0.0', port: 8090 } });
    const versioned = { TEMPORAL_DEPLOYMENT_NAME: 'sluice', TEMPORAL_WORKER_BUILD_ID: '1.2.0' };
    expect(read(versioned, '--health', '[::1]:0', '--bundle', 'b.js', '--build-id', '1.3.0')).toMatchObject({
      health: { host: '::1', port: 0 },
      bundle: 'b.js',
      version: { deploymentName: 'sluice', buildId: '1.3.0' },
    });
    expect(read({}, '--health', '8090').health).toEqual({ host: '127.0.0.1', port: 8090 });
  });

  it.each([
    [['--queues', 'heavy'], '--queues: "heavy" is no queue; write it like light=20,compute=2,streaming=50,watch=20'],
    [['--queues', 'light,'], '--queues: "" is no queue'],
    [['--queues', 'light=0'], '--queues: light has the size "0", which is no number from 1 to 9999'],
    [['--queues', 'light=2,light'], '--queues: light stands there twice'],
    [['--grace', 'soon'], '--grace: must be a number with a unit'],
    [['--grace', '30s'], 'SLUICE_WORKER_FORCE_AFTER: 20 s is not more than the grace of 30 s'],
    [['--health', 'here'], '--health: "here" is no address; write it like 8090 or 0.0.0.0:8090'],
    [['--health', '65536'], '--health: "65536" is no address'],
    [['--build-id', '1'], '--build-id: goes together with --deployment (TEMPORAL_DEPLOYMENT_NAME), which is missing'],
    [['--deployment', 'a'], '--deployment: goes together with --build-id (TEMPORAL_WORKER_BUILD_ID), which is missing'],
    [['--deployment', 'a.b', '--build-id', '1'], '--deployment: a deployment’s name has no dots'],
  ])('refuses %j in one sentence', (argv, sentence) => {
    const refused = `The worker cannot start like this: ${sentence}`;
    expect(() => read({}, ...argv)).toThrow(refused);
  });

  it('names the variable where it was one, and all that is wrong', () => {
    const wrong = { SLUICE_WORKER_QUEUES: 'x', SLUICE_WORKER_GRACE: '-1s' };
    expect(() => read(wrong)).toThrow(/SLUICE_WORKER_QUEUES: "x" is no queue.*SLUICE_WORKER_GRACE: must be/);
  });

  it('ends with 2 where it is called wrongly, before anything is connected', async () => {
    const environment = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1', NO_COLOR: '1' };
    const cases = [['--queues', 'heavy'], ['--nope'], ['more']];
    for (const argv of cases) {
      const { code, out, err } = await runSluice(['worker', ...argv], environment);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).not.toMatch(/\n\s+at /);
    }
    const nobody = await runSluice(['worker'], environment);
    expect(nobody).toMatchObject({ code: 1, out: '' });
    expect(nobody.err).toMatch(/^The worker stopped: No Temporal server answers at 127\.0\.0\.1:1: .*\n$/);
  });
});

describe('the health of a worker', () => {
  let health: Health;

  beforeAll(async () => {
    health = await Health.listen({ host: '127.0.0.1', port: 0 });
  });

  afterAll(async () => {
    await health?.close();
  });

  /** Not fetch, which does not let go of its own Host. */
  const ask = (
    path: string,
    options: { method?: string; host?: string } = {},
  ): Promise<{ status: number; message: string }> =>
    new Promise((resolve, reject) => {
      const { host, method = 'GET' } = options;
      const asked = request(
        new URL(path, health.url),
        { method, headers: host === undefined ? {} : { host } },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => {
            const { message } = JSON.parse(text) as { message: string };
            resolve({ status: response.statusCode ?? 0, message });
          });
        },
      );
      asked.once('error', reject).end();
    });

  it('is alive before it is ready', async () => {
    expect(await ask('/healthz')).toEqual({ status: 200, message: 'The process is alive.' });
    expect(await ask('/readyz?verbose')).toEqual({ status: 503, message: 'The worker starts.' });
  });

  it('answers to nothing else, and on loopback to no other name', async () => {
    expect(await ask('/')).toMatchObject({ status: 404 });
    expect(await ask('/readyz', { method: 'POST' })).toMatchObject({ status: 405 });
    expect(await ask('/readyz', { host: 'rebound.example.org:80' })).toEqual({
      status: 403,
      message: 'This worker does not answer to "rebound.example.org".',
    });
    expect(await ask('/healthz', { host: 'localhost:1' })).toMatchObject({ status: 200 });
  });

  it('says of an address that is taken what to do', async () => {
    const { port } = new URL(health.url);
    await expect(Health.listen({ host: '127.0.0.1', port: Number(port) })).rejects.toMatchObject({
      code: 'SettingsInvalid',
      message: expect.stringMatching(/^Health cannot be told at 127\.0\.0\.1:\d+: .*EADDRINUSE.*--health\.$/) as string,
    });
  });

  it('is not ready once the worker was told to stop', async () => {
    health.stops();
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      message: expect.stringMatching(/told to stop/) as string,
    });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });
});

describe('a bundle of the workflows', () => {
  let folder: string;
  let file: string;
  let text: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
    file = join(folder, 'dist', 'workflows.js');
    await writeBundle(file);
    text = await readFile(file, 'utf8');
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const refused = async (changed: string): Promise<string> => {
    const other = join(folder, 'other.js');
    await writeFile(other, changed);
    return readBundle(other).then(
      () => 'taken',
      (error: Error) => error.message.replaceAll(other, 'FILE'),
    );
  };

  it('is taken where it was made of the workflows as they stand', async () => {
    const { code } = await readBundle(file);
    expect(text.endsWith(code)).toBe(true);
    expect(text.slice(0, text.indexOf(' */'))).toContain('"src/workflows/pipeline.ts":');
  });

  it('is refused where they have changed, or the SDK, or itself', async () => {
    const again = ': make it again with "sluice bundle FILE".';
    const other = text.replace(/("src\/workflows\/pipeline\.ts":")\w{8}/, '$100000000');
    expect(await refused(other)).toBe(
      `The bundle FILE was made of other workflows (src/workflows/pipeline.ts has changed)${again}`,
    );
    const gone = text.replace('src/workflows/pipeline.ts', 'src/workflows/gone.ts');
    expect(await refused(gone)).toBe(
      `The bundle FILE was made of other workflows (src/workflows/gone.ts has changed)${again}`,
    );
    expect(await refused(text.replace('"sdk":"', '"sdk":"9.'))).toMatch(
      /was made by @temporalio\/worker 9\.\S+, and \S+ is here:/,
    );
    expect(await refused(text.slice(0, -1))).toBe(`The bundle FILE was changed, or cut, after it was made${again}`);
    expect(await refused('// mine')).toBe(`The bundle FILE is none of "sluice bundle"${again}`);
    expect(await refused('')).toBe(`The bundle FILE is none of "sluice bundle"${again}`);
    await expect(readBundle(join(folder, 'none.js'))).rejects.toThrow(/cannot be read \(ENOENT.*sluice bundle/);
  });
});
