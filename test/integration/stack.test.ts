import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { down, runningStack, signalServer, status, up } from '../../stack/index.ts';
import { identityOf, isAlive } from '../../stack/process-identity.ts';
import { StackProgress } from '../../stack/progress.ts';
import { readState } from '../../stack/state.ts';
import { noStack } from '../helpers/stack.ts';

const home = join(import.meta.dirname, '..', '..');
const only = ['mailpit', 'minio'] as const;

/** Command lines of running processes that hold a text; both servers are started with paths below the state folder. */
function processesThatName(text: string): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const command = readFileSync(join('/proc', name, 'cmdline'), 'utf8').replaceAll('\0', ' ');
      return command.includes(text) ? [command] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(noStack)('a stack', () => {
  let state: string;
  const said: string[] = [];
  const options = () => ({ state, only, freePorts: true, progress: new StackProgress((line) => said.push(line)) });

  beforeEach(async () => {
    said.length = 0;
    state = await mkdtemp(join(tmpdir(), 'sluice-some-'));
  });

  afterEach(async () => {
    await down({ ...options(), remove: true });
    await rm(state, { recursive: true, force: true });
  });

  const pids = async () => Object.values((await readState(state))?.processes ?? {}).map((identity) => identity.pid);

  it('comes up, says what it does, and is kept by a second up', async () => {
    const running = await up(options());
    expect(Object.keys(running.links)).toEqual(['minio', 'mailpit']);
    expect(said.join('\n')).toMatch(/mailpit.*answers on/);
    const before = await pids();
    await up(options());
    expect(await pids()).toEqual(before);
    expect((await status(options())).map((server) => server.state)).toEqual(['running', 'running']);
  });

  it('starts again what was killed, and only that', async () => {
    await up(options());
    const before = await readState(state);
    await signalServer(state, 'mailpit', 'SIGKILL');
    while (before?.processes.mailpit && isAlive(before.processes.mailpit)) await wait(20);
    expect((await status(options())).map((server) => server.state)).toEqual(['stopped', 'running']);
    await up(options());
    const after = await readState(state);
    expect(after?.processes.minio).toEqual(before?.processes.minio);
    expect(after?.processes.mailpit).not.toEqual(before?.processes.mailpit);
  });

  it('goes on after its own command was killed half-way, and loses no server', async () => {
    const args = [join(home, 'stack', 'main.ts'), 'up', '--free-ports', '--only', only.join(','), '--state', state];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let printed = '';
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.includes('started (pid')) resolve();
      });
    });
    child.kill('SIGKILL');
    await up(options());
    expect((await status(options())).map((server) => server.state)).toEqual(['running', 'running']);
    // Whatever the killed command had started is among those that are known, and is stopped with them.
    const started = [...printed.matchAll(/started \(pid (\d+)\)/g)].map((match) => Number(match[1]));
    expect(await pids()).toEqual(expect.arrayContaining(started));
    await down(options());
    expect(started.map(identityOf)).toEqual(started.map(() => undefined));
    expect(processesThatName(state)).toEqual([]);
    expect(await runningStack({ state })).toBeUndefined();
  });

  it('comes up once when two ask at the same time', async () => {
    await Promise.all([up(options()), up(options())]);
    expect(said.filter((line) => line.includes('started (pid'))).toHaveLength(2);
  });
});
