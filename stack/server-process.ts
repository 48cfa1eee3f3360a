import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { SluiceError, sentenceOf } from '../src/definition/errors.ts';
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts';
import type { Launch } from './servers/server.ts';

/** Starts a server in a process group of its own, its output appended to a log, so that it goes on when we end. */
export function start(launch: Launch, log: string): ProcessIdentity {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a');
  try {
    const child = spawn(launch.program, [...launch.args], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...inherited(), ...launch.environment },
      ...(launch.cwd === undefined ? {} : { cwd: launch.cwd }),
      ...launch.unprivileged,
    });
    child.on('error', () => {});
    child.unref();
    if (child.pid === undefined) {
      throw new SluiceError('StackUnavailable', `"${launch.program}" did not start; see ${log}.`);
    }
    // A server may have ended before it is looked up; whoever waits for it then tells the end of its log.
    return identityOf(child.pid) ?? { pid: child.pid, startedAt: 'ended at once' };
  } finally {
    closeSync(output);
  }
}

/** What a server gets of our environment: none of our own secrets or settings. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/**
 * Waits until a server answers.
 * @throws SluiceError `StackUnavailable` when its process ends or the time is over, with the log's last lines
 */
export async function untilAnswering(
  title: string,
  identity: ProcessIdentity,
  answers: () => Promise<void>,
  log: string,
  timeoutMs = 300_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      await answers();
      return;
    } catch (error) {
      last = error;
    }
    if (!isAlive(identity)) {
      throw new SluiceError(
        'StackUnavailable',
        `${title} ended while it started; its log ${log} ends with: ${await tail(log)}`,
      );
    }
    await wait(200);
  }
  throw new SluiceError(
    'StackUnavailable',
    `${title} does not answer after ${timeoutMs / 1000} s (${sentenceOf(last)}); its log ${log} ends with: ${await tail(log)}`,
  );
}

async function tail(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
  return lines.slice(-3).join(' / ').slice(-600);
}

/** Ends a server and its process group by its own pid: politely, then for good. A pid that is another's now is left alone. */
export async function end(identity: ProcessIdentity, graceMs = 15_000): Promise<void> {
  kill(identity, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isAlive(identity)) {
    if (Date.now() > deadline) kill(identity, 'SIGKILL');
    await wait(50);
  }
}

/** Sends a signal to a server's process group. */
export function kill(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(-identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
