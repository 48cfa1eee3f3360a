import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
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

  it('holds no secret, and no setting that a worker would refuse', () => {
    const set = of(final, 'ENV').flatMap((line) => line.trim().split(/\s+/));
    const environment = Object.fromEntries(set.map((each) => each.split('=') as [string, string]));
    expect(Object.keys(environment).filter((name) => /secret|token|password|key/i.test(name))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ARG'))).toEqual([]);
    const { health, bundle } = readWorkerSettings(environment);
    expect(health).toEqual({ host: '127.0.0.1', port: 8090 });
    expect(of(final, 'HEALTHCHECK')[0]).toContain(`http://127.0.0.1:${health?.port}/readyz`);
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
  }, 120_000);
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
