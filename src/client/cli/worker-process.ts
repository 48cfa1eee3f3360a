import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../definition/errors.ts';

const entry = fileURLToPath(new URL('../../main.ts', import.meta.url));

export interface WorkerProcess {
  readonly pid: number;
  /** Where Prometheus asks it for metrics, if it was told to tell them. */
  readonly metrics?: string;
  /** Resolves when the process has ended: with its exit code, null where a signal killed it. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** How long its start may go on; for as long as it takes where nothing is said. */
export interface StartLimits {
  readonly signal?: AbortSignal;
  readonly withinMs?: number;
}

/**
 * Starts a worker as a process of its own, and waits until it serves.
 * @param log a file, or where else its lines go
 * @throws SluiceError `StackUnavailable` where it ends before that, or is not there within its limits: then it has been killed
 */
export async function startWorker(
  environment: Readonly<Record<string, string | undefined>>,
  log: string | Writable,
  limits: StartLimits = {},
): Promise<WorkerProcess> {
  const named = typeof log === 'string';
  if (named) await mkdir(dirname(log), { recursive: true });
  const warnings = ['--disable-warning=TimeoutNegativeWarning', '--disable-warning=ExperimentalWarning'];
  const flags = [...warnings, '--max-semi-space-size=2'];
  // A group of its own: Ctrl-C at the terminal is for the command, which then stops its worker in order.
  const child = spawn(process.execPath, [...flags, entry, 'worker'], {
    env: environment,
    // The channel tells the worker when this process is gone, however it went.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  const file = named ? createWriteStream(log, { flags: 'a', mode: 0o600 }) : log;
  child.stderr?.pipe(file, { end: false });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let last = '';
  let metrics: string | undefined;
  const { gaveUp, lift } = limited(child, limits);
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout as Readable).on('line', (line) => {
      file.write(`${line}\n`);
      if (!line.startsWith('worker ready')) return;
      metrics = /; metrics at (\S+);/.exec(line)?.[1];
      resolve();
    });
    createInterface(child.stderr as Readable).on('line', (line) => {
      last = line;
    });
    child.once('error', reject);
    child.once('exit', () => {
      const why = gaveUp() ?? last;
      reject(
        new SluiceError('StackUnavailable', `The worker did not start: ${named ? `${why} (its log: ${log}).` : why}`),
      );
    });
  }).finally(lift);
  return {
    ...{ pid: child.pid ?? 0, ended: exited, stop: () => stop(child, exited) },
    ...(metrics === undefined ? {} : { metrics }),
  };
}

/** Kills one that does not start in time: as long as it connects it heeds no signal, and it holds nothing yet. @returns why it did, and what ends the limits */
function limited(
  child: ChildProcess,
  { signal, withinMs }: StartLimits,
): { readonly gaveUp: () => string | undefined; readonly lift: () => void } {
  let why: string | undefined;
  const giveUp = (sentence: string): void => {
    why ??= sentence;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  };
  const told = (): void => giveUp('it was told to stop.');
  const late = (): void =>
    giveUp(`it was not ready within ${(withinMs ?? 0) / 1_000} s; see whether Temporal answers (TEMPORAL_ADDRESS).`);
  const timer = withinMs === undefined ? undefined : setTimeout(late, withinMs);
  signal?.addEventListener('abort', told, { once: true });
  if (signal?.aborted) told();
  return {
    gaveUp: () => why,
    lift: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', told);
    },
  };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await exited;
  clearTimeout(force);
}
