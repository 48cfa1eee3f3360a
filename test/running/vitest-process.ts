import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

const GRACE_MS = 15_000;

export interface VitestOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Stands before each line that it writes; without, it writes as it likes. */
  readonly prefix?: string;
  /** Where it is aborted, vitest ends, politely and then for good. */
  readonly stopped: AbortSignal;
}

/**
 * Runs a vitest in a process group of its own, of which nothing is left when this resolves.
 * @returns its exit code; 1 where a signal ended it
 */
export async function runVitest(args: readonly string[], options: VitestOptions): Promise<number> {
  const { environment, prefix, stopped } = options;
  const pipes = prefix === undefined ? 'inherit' : 'pipe';
  const child = spawn('vitest', args, { stdio: ['ignore', pipes, pipes], env: environment, detached: true });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  if (prefix !== undefined) {
    passOn(child.stdout, process.stdout, prefix);
    passOn(child.stderr, process.stderr, prefix);
  }
  let force: NodeJS.Timeout | undefined;
  const stop = (): void => {
    signalGroup(child, 'SIGTERM');
    force = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
  };
  if (stopped.aborted) stop();
  stopped.addEventListener('abort', stop);
  try {
    return await ended;
  } finally {
    stopped.removeEventListener('abort', stop);
    clearTimeout(force);
    // What a killed vitest has left behind; it would hold our end of the pipes open, too.
    signalGroup(child, 'SIGKILL');
    await Promise.race([closed, wait(2_000, undefined, { ref: false })]);
  }
}

function passOn(from: Readable | null, to: NodeJS.WritableStream, prefix: string): void {
  if (from) createInterface(from).on('line', (line) => to.write(line === '' ? '\n' : `${prefix}${line}\n`));
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
