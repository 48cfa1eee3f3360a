import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { workerFlags } from '../../src/connectors/worker-flags.ts';
import { readWorkerSettings } from '../../src/connectors/worker-settings.ts';

const home = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const text = await readFile(join(home, 'Containerfile'), 'utf8');
/** Its instructions, each on one line. */
const lines = text
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));
const stages = lines.reduce<string[][]>((found, line) => {
  if (line.startsWith('FROM ')) found.push([]);
  found.at(-1)?.push(line);
  return found;
}, []);
const [build = [], final = []] = stages;
const of = (stage: readonly string[], name: string): string[] =>
  stage.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
const copied = of(build, 'COPY').flatMap((line) => line.split(' ').slice(0, -1));

describe('the Containerfile', () => {
  it('takes the Node that the project has, and runs as nobody in particular', async () => {
    const { dependencies } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const major = /\d+/.exec(dependencies['node'] ?? '')?.[0];
    for (const stage of stages) expect(stage[0]).toMatch(new RegExp(`^FROM node:${major}-`));
    expect(of(final, 'USER')).toEqual(['1000:1000']);
    // Behind it nothing is made any more, so nothing belongs to that user but its own folder.
    expect(final.findIndex((line) => line.startsWith('USER'))).toBeGreaterThan(
      final.findLastIndex((line) => /^(RUN|COPY)/.test(line)),
    );
  });

  it('has the certificates that TLS is trusted by, and no health check that only one of its commands could pass', () => {
    expect(of(final, 'RUN')).toContainEqual(expect.stringMatching(/apt-get install .*\bca-certificates\b/));
    expect(of(final, 'HEALTHCHECK')).toEqual([]);
  });

  it('holds no secret, and no setting that a worker would refuse', () => {
    const set = of(final, 'ENV').flatMap((line) => line.trim().split(/\s+/));
    const environment = Object.fromEntries(set.map((each) => each.split('=') as [string, string]));
    expect(Object.keys(environment).filter((name) => /secret|token|password|key/i.test(name))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ARG'))).toEqual([]);
    const { health, bundle } = readWorkerSettings(environment);
    expect(health).toEqual({ host: '127.0.0.1', port: 8090 });
    expect(of(build, 'RUN').at(-1)).toBe(`node bin/sluice.mjs bundle ${bundle?.replace('/app/', '')}`);
  });

  it('copies all that Sluice is made of, and lets nothing else into the build', async () => {
    const allowed = (await readFile(join(home, '.dockerignore'), 'utf8'))
      .split('\n')
      .flatMap((line) => /^!(.*)/.exec(line)?.[1] ?? []);
    expect(new Set(allowed)).toEqual(new Set(copied));
    const folder = await mkdtemp(join(tmpdir(), 'sluice-image-'));
    try {
      for (const name of copied) await cp(join(home, name), join(folder, name), { recursive: true });
      await symlink(join(home, 'node_modules'), join(folder, 'node_modules'));
      const sluice = (...args: string[]) => run(process.execPath, ['bin/sluice.mjs', ...args], { cwd: folder });
      expect((await sluice('bundle', 'dist/workflow-bundle.js')).stdout).toMatch(
        /^dist\/workflow-bundle\.js: \d+ files/,
      );
      expect((await sluice('validate', 'pipelines/broadband.yaml')).stdout).not.toBe('');
      // Comes as far as to ask for Temporal, so every file that a worker loads is there.
      const environment = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
      const worker = run(process.execPath, ['bin/sluice.mjs', 'worker', '--bundle', 'dist/workflow-bundle.js'], {
        cwd: folder,
        env: environment,
      });
      await expect(worker).rejects.toMatchObject({
        stderr: expect.stringMatching(/^The worker stopped: No Temporal server answers/) as string,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the unit for systemd', async () => {
  const unit = join(home, 'deploy', 'sluice-worker.service');
  const written = await readFile(unit, 'utf8');
  const settings = [...written.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const);
  const of = (name: string): string[] => settings.flatMap(([found, value]) => (found === name ? [value] : []));

  it('says what a worker reads, and waits longer for its end than the worker does', () => {
    const environment = Object.fromEntries(of('Environment').map((each) => each.split('=') as [string, string]));
    const { forceMs, health } = readWorkerSettings(environment);
    expect(health?.host).toBe('127.0.0.1');
    expect(Number(of('TimeoutStopSec')[0]) * 1_000).toBeGreaterThan(forceMs);
    expect(of('KillSignal')).toEqual(['SIGTERM']);
    // What ends with 2 was called wrongly, and would be again.
    expect([of('Restart'), of('RestartPreventExitStatus')]).toEqual([['on-failure'], ['2']]);
    expect(written).toContain('ca-certificates');
    const known = [
      ...workerFlags.map(({ variable }) => variable),
      'NODE_ENV',
      'SLUICE_WORK_DIR',
      'SLUICE_LOCAL_COPIES',
    ];
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it('is what systemd accepts, wherever that is installed', async () => {
    const analyze = (...args: string[]): Promise<string> =>
      run('systemd-analyze', args).then(
        ({ stderr }) => stderr,
        (error: { code?: unknown; stderr?: string }) => (error.code === 'ENOENT' ? 'not there' : (error.stderr ?? '')),
      );
    const missing = await analyze('--version');
    expect(missing === '' ? await analyze('verify', unit) : '').toBe('');
  });
});

describe('the workflow of CI', async () => {
  interface Step {
    readonly name?: string;
    readonly if?: string;
    readonly run?: string;
  }
  const { jobs } = parse(await readFile(join(home, '.github', 'workflows', 'ci-cd.yml'), 'utf8')) as {
    jobs: Record<string, { steps: Step[] }>;
  };
  const steps = jobs['test']?.steps ?? [];

  it('gives up where npm start has ended, and shows what that said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-ci-'));
    try {
      await mkdir(join(folder, 'sluice'));
      await writeFile(join(folder, 'sluice', 'ended'), '');
      await writeFile(join(folder, 'sluice', 'start.log'), 'The port is held.\n');
      const script = (name: string): string => steps.find((step) => step.name === name)?.run ?? 'exit 99';
      const bash = (text: string) => run('bash', ['-e', '-c', text], { env: { ...process.env, RUNNER_TEMP: folder } });
      const nobody = script('Test API endpoint').replaceAll('http://localhost:5000', 'http://127.0.0.1:1');
      await expect(bash(nobody.replace('--retry 5', '--retry 1'))).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/"npm start" has ended without being ready\.\n$/) as string,
      });
      expect(steps.at(-1)?.if).toBe('failure()');
      expect((await bash(steps.at(-1)?.run ?? '')).stdout).toBe('The port is held.\n');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
