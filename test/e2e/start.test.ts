import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { down, status } from '../../stack/index.ts';
import { StackProgress } from '../../stack/progress.ts';
import { launcher } from '../helpers/cli.ts';
import { noStack } from '../helpers/stack.ts';

const quiet = new StackProgress(() => {});

interface Summary {
  readonly rows: Record<string, number>;
  readonly holds: boolean;
  readonly outcome: string;
  readonly links: Record<string, string>;
}

/** A command as it runs: what it has printed so far, and its end. */
class Running {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number>;

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [launcher, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.once('close', (code) => resolve(code ?? -1)));
  }

  async says(text: string): Promise<void> {
    for (let tries = 0; tries < 4_800; tries += 1) {
      if (this.err.includes(text)) return;
      if (this.child.exitCode !== null) break;
      await wait(50);
    }
    throw new Error(`it never said "${text}": ${this.err}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(noStack)('npm start', () => {
  let state: string;
  // Where there is no internet: the address of the shipped copy.
  let served: string | undefined;
  const servedAt = (text: string): string | undefined => /served instead, at (\S+)/.exec(text)?.[1];
  // As a user has it: no variable names a server.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SLUICE|TEMPORAL)_/.test(name)),
  );
  const running: Running[] = [];
  const sluice = (...args: string[]): Running => {
    const started = new Running(args, { ...environment, SLUICE_STACK: state });
    running.push(started);
    return started;
  };

  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), 'sluice-start-'));
  });

  afterAll(async () => {
    // What a test that failed has left.
    for (const { child } of running) child.kill('SIGINT');
    await Promise.all(running.map(({ ended }) => ended));
    await down({ state, remove: true, progress: quiet });
    await rm(state, { recursive: true, force: true });
  });

  it('goes from nothing to a run that accounts for every row, stays, and stops in order', async () => {
    const started = sluice('start', '--json', '--free-ports', '--state', state);
    await started.says('The schedule goes on');
    const summary = JSON.parse(started.out) as Summary;
    served = servedAt(started.err);
    const rows = 32_735;
    expect(summary).toMatchObject({
      outcome: 'completed',
      holds: true,
      rows: {
        read: rows,
        clean: rows,
        duplicates: 0,
        filtered: 0,
        rejected: 0,
        published: rows,
        landed: rows,
        indexed: rows,
      },
    });
    for (const stage of ['prepare', 'import', 'clean', 'publish', 'land', 'index', 'reconcile']) {
      expect(started.err).toMatch(new RegExp(`^ {2}${stage} +\\d+\\.\\d s( {2}[\\d,]+ rows.*)?$`, 'm'));
    }
    for (const name of ['temporal', 'minio', 'mailpit', 'dashboard']) {
      expect((await fetch(summary.links[name] ?? '')).ok).toBe(true);
      expect(started.err).toContain(summary.links[name]);
    }

    // The API triggers the pipeline that was started, and joins its hour.
    const triggered = await fetch(`${summary.links['api']}/trigger-pipeline`, { method: 'POST' });
    expect(await triggered.json()).toMatchObject({ status: 'success', pipeline: 'broadband' });
    expect(started.err).toContain(summary.links['api']);

    // Other commands find this stack by themselves.
    const check = sluice('check');
    expect(await check.ended).toBe(0);
    expect(check.out.match(/^ok/gm)).toHaveLength(5);
    const listed = sluice('status', 'broadband', '--json');
    expect(await listed.ended).toBe(0);
    expect(JSON.parse(listed.out)).toMatchObject({ runs: [{ status: 'completed' }] });

    started.child.kill('SIGINT');
    expect(await started.ended).toBe(0);
    expect((await status({ state })).map((server) => server.state)).toEqual(Array(5).fill('stopped'));
    const copies = join(state, 'copies', 'broadband');
    const [hour = ''] = await readdir(copies);
    const copy = await readFile(join(copies, hour, 'clean.csv'), 'utf8');
    expect(copy.trimEnd().split('\n')).toHaveLength(rows + 1);
    expect(await readFile(join(state, 'logs', 'worker.log'), 'utf8')).toContain('worker stopped');
  }, 300_000);

  it('a second time, finds the hour done and leaves again with --exit', async () => {
    const again = sluice('start', '--exit', '--json', '--free-ports', '--state', state);
    expect({ code: await again.ended, err: again.err }).toMatchObject({ code: 0 });
    // The schedule knows the copy by this address, and may have made up for an hour before it could be told of another.
    expect(servedAt(again.err)).toBe(served);
    expect(JSON.parse(again.out)).toMatchObject({ holds: true, outcome: 'completed' });
    expect((await status({ state })).map((server) => server.state)).toEqual(Array(5).fill('stopped'));
  }, 300_000);

  const newestWorker = async (): Promise<number> => {
    const log = await readFile(join(state, 'logs', 'worker.log'), 'utf8');
    return Number([...log.matchAll(/pid (\d+)$/gm)].at(-1)?.[1]);
  };

  it('starts another worker where its own is killed, and stays', async () => {
    const started = sluice('start', '--free-ports', '--state', state);
    await started.says('The schedule goes on');
    const killed = await newestWorker();
    process.kill(killed, 'SIGKILL');
    await started.says('The worker ended (it was killed); another starts');
    await expect.poll(newestWorker, { timeout: 60_000 }).not.toBe(killed);
    const forced = sluice('run', 'broadband', '--force', '--json');
    expect({ code: await forced.ended, err: forced.err }).toMatchObject({ code: 0 });
    for (let pid = await newestWorker(); started.child.exitCode === null; pid = await newestWorker()) {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
      await wait(200);
    }
    expect({ code: await started.ended, err: started.err }).toMatchObject({
      code: 1,
      err: expect.stringContaining('The worker ended 3 times in a row (it was killed)') as unknown,
    });
  }, 300_000);

  it('takes its worker along when it is killed', async () => {
    const killed = sluice('start', '--free-ports', '--state', state);
    await killed.says('Schedule');
    const pid = await newestWorker();
    const bundle = killed.child;
    // The launcher hands the kill on to nobody: both processes go.
    const { stdout } = spawn('ps', ['-o', 'pid=', '--ppid', String(bundle.pid)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const children = (await stdout.toArray()).join('').trim().split(/\s+/).map(Number);
    for (const child of children) process.kill(child, 'SIGKILL');
    await killed.ended;
    await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
  }, 300_000);
});
