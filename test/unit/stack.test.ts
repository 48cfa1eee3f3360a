import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLock } from '../../stack/lock.ts';
import { chosenPort, freePorts, portVariable, requireFree } from '../../stack/ports.ts';
import { identityOf, isAlive } from '../../stack/process-identity.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provisionInto } from '../../stack/provision.ts';
import { end, start, untilAnswering } from '../../stack/server-process.ts';
import { emptyState, readState, writeState } from '../../stack/state.ts';
import { goIsAtLeast, javaMajor } from '../../stack/tools.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-stack-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const never = (): void => {
  throw new Error('nobody else holds it');
};

describe('tools', () => {
  it.each([
    ['openjdk version "21.0.4" 2024-07-16', 21],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['nonsense', undefined],
  ])('reads the version of %s', (printed, major) => {
    expect(javaMajor(printed)).toBe(major);
  });

  it('compares Go versions as numbers', () => {
    expect(['go1.9.1', 'go1.23.4', 'go1.24', 'go1.26.1', 'go2.0', 'none'].map((v) => goIsAtLeast(v, '1.24'))).toEqual([
      ...[false, false, true, true, true, false],
    ]);
  });
});

describe('ports', () => {
  it('are the usual ones unless the environment says otherwise', () => {
    expect(portVariable('temporalUi')).toBe('SLUICE_PORT_TEMPORAL_UI');
    expect(chosenPort('kafka', 9092, {})).toBe(9092);
    expect(chosenPort('kafka', 9092, { SLUICE_PORT_KAFKA: '19092' })).toBe(19092);
    expect(() => chosenPort('kafka', 9092, { SLUICE_PORT_KAFKA: '99999' })).toThrow(/SLUICE_PORT_KAFKA is "99999"/);
  });

  it('that are free are all different, and none that a connection may be given meanwhile', async () => {
    const ports = await freePorts(12);
    expect(new Set(ports).size).toBe(12);
    expect(ports.filter((port) => port < 1_024 || port >= 32_768)).toEqual([]);
  });

  it('that are taken are refused with what to do', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(requireFree('Kafka', 'kafka', port)).rejects.toThrow(/SLUICE_PORT_KAFKA=NUMBER/);
    await new Promise((resolve) => server.close(resolve));
    await requireFree('Kafka', 'kafka', port);
  });
});

describe('the lock', () => {
  it('lets one in at a time, and tells who holds it', async () => {
    const path = join(folder, 'one');
    let inside = 0;
    let most = 0;
    const holders: number[] = [];
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await wait(30);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 4 }, () => withLock(path, (pid) => holders.push(pid), work)));
    expect(most).toBe(1);
    expect(new Set(holders)).toEqual(new Set([process.pid]));
  });

  it('is free again when its holder is killed', async () => {
    const path = join(folder, 'killed');
    const lock = join(import.meta.dirname, '..', '..', 'stack', 'lock.ts');
    const script = `import { withLock } from ${JSON.stringify(lock)};
      await withLock(${JSON.stringify(path)}, () => {}, () => { console.log('in'); return new Promise((r) => setTimeout(r, 60_000)); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const told: number[] = [];
    const entered = withLock(
      path,
      (pid) => told.push(pid),
      async () => 'in',
    );
    await wait(600);
    child.kill('SIGKILL');
    expect(await entered).toBe('in');
    expect(told).toEqual([child.pid]);
  });

  it('is let go when the work fails', async () => {
    const path = join(folder, 'fails');
    await expect(withLock(path, never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(path, never, async () => 7)).toBe(7);
  });
});

describe('provisioning', () => {
  const progress = new StackProgress(() => {});

  it('is done once, however many ask', async () => {
    const target = join(folder, 'cache', 'mailpit-v1');
    let made = 0;
    const make = async (into: string): Promise<void> => {
      made += 1;
      await wait(50);
      await writeFile(join(into, 'mailpit'), 'x');
    };
    const homes = await Promise.all([1, 2, 3].map(() => provisionInto(target, 'mailpit', progress, make)));
    expect(made).toBe(1);
    expect(homes).toEqual([target, target, target]);
    expect(await readdir(target)).toEqual(['mailpit']);
  });

  it('that breaks off leaves nothing that looks finished, and is done again', async () => {
    const target = join(folder, 'cache', 'minio-v1');
    const breaks = async (into: string): Promise<void> => {
      await writeFile(join(into, 'half'), 'x');
      throw new Error('no network');
    };
    await expect(provisionInto(target, 'minio', progress, breaks)).rejects.toThrow('no network');
    expect(existsSync(target)).toBe(false);
    await provisionInto(target, 'minio', progress, (into) => writeFile(join(into, 'minio'), 'x'));
    expect(await readdir(target)).toEqual(['minio']);
  });
});

describe('processes', () => {
  it('are known by more than their pid', () => {
    const me = identityOf(process.pid);
    expect(me && isAlive(me)).toBe(true);
    expect(isAlive({ pid: process.pid, startedAt: 'another time' })).toBe(false);
    expect(identityOf(2 ** 22 - 1)).toBeUndefined();
  });

  it('are ended by their own pid, for good where they do not listen', async () => {
    const log = join(folder, 'stubborn.log');
    const identity = start({ program: 'bash', args: ['-c', 'trap "" TERM; echo up; sleep 60 & wait; sleep 60'] }, log);
    await wait(200);
    await end(identity, 300);
    expect(isAlive(identity)).toBe(false);
    await end(identity, 300);
  });

  it('that end while they start are reported with the last lines of their log', async () => {
    const log = join(folder, 'broken.log');
    const identity = start({ program: 'bash', args: ['-c', 'echo the disk is full; exit 3'] }, log);
    const answers = (): Promise<void> => Promise.reject(new Error('refused'));
    await expect(untilAnswering('Kafka', identity, answers, log)).rejects.toThrow(/Kafka ended.*the disk is full/);
  });

  it('that ended before they could be looked up count as ended, not as never started', async () => {
    const log = join(folder, 'at-once.log');
    // Whether the shell is still there when it is looked up is a race; thirty tries meet both.
    for (let round = 0; round < 30; round++) {
      const identity = start({ program: 'true', args: [] }, log);
      while (isAlive(identity)) await wait(2);
      await expect(untilAnswering('Kafka', identity, () => Promise.reject(new Error('no')), log)).rejects.toThrow(
        /^Kafka ended/,
      );
    }
  });

  it('get none of our secrets', async () => {
    const log = join(folder, 'environment.log');
    process.env['SLUICE_S3_SECRET_KEY'] = 'hidden';
    const identity = start({ program: 'bash', args: ['-c', 'env; sleep 0.2'], environment: { OWN: 'given' } }, log);
    delete process.env['SLUICE_S3_SECRET_KEY'];
    while (isAlive(identity)) await wait(20);
    const printed = await readFile(log, 'utf8');
    expect(printed).toContain('OWN=given');
    expect(printed).not.toContain('hidden');
  });
});

describe('the state of a stack', () => {
  it('is its owner’s alone, with credentials made for it', async () => {
    const place = join(folder, 'state');
    await mkdir(place, { recursive: true });
    expect(await readState(place)).toBeUndefined();
    await writeState(place, emptyState());
    expect((await stat(join(place, 'state.json'))).mode & 0o777).toBe(0o600);
    expect((await readState(place))?.credentials.password).toHaveLength(32);
    expect(emptyState().credentials.password).not.toBe(emptyState().credentials.password);
  });
});
