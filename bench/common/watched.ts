import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { peakMbOf } from './process-memory.ts';

/** What a process and those that it started came to; both undefined where the system does not say. */
export interface Used {
  /** Peaks of all of them added up, in MB. */
  readonly peakMb: number | undefined;
  /** Time on processors, in seconds. */
  readonly cpuSeconds: number | undefined;
}

const LOOK_EVERY_MS = 100;
/** Clock ticks a second, as the kernel shows them on every Linux. */
const TICKS = 100;

/** Runs a program whose last line is its answer, and watches what it takes. What it says besides is shown where it fails. */
export async function watched(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly lastLine: string; readonly used: Used }> {
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const peaks = new Map<number, number>();
  const ticks = new Map<number, number>();
  const look = (): void => {
    for (const pid of child.pid === undefined ? [] : familyOf(child.pid)) {
      peaks.set(pid, peakMbOf(pid) ?? peaks.get(pid) ?? 0);
      ticks.set(pid, ticksOf(pid) ?? ticks.get(pid) ?? 0);
    }
  };
  const clock = setInterval(look, LOOK_EVERY_MS);
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  }).finally(() => clearInterval(clock));
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}\n${out.slice(-2_000)}`);
  const sum = (of: ReadonlyMap<number, number>): number => [...of.values()].reduce((a, b) => a + b, 0);
  const known = peaks.size > 0;
  const used = { peakMb: known ? sum(peaks) : undefined, cpuSeconds: known ? sum(ticks) / TICKS : undefined };
  return { lastLine: out.trim().split('\n').at(-1) ?? '', used };
}

/** A process and all below it. Each thread has children of its own. */
function familyOf(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(familyOf)];
  } catch {
    return [];
  }
}

/** Time on processors of a process so far, in seconds; undefined where the system does not say. */
export function cpuSecondsOf(pid: number): number | undefined {
  const ticks = ticksOf(pid);
  return ticks === undefined ? undefined : ticks / TICKS;
}

function ticksOf(pid: number): number | undefined {
  try {
    // The name in brackets may hold blanks; user and system time are the 14th and 15th fields.
    const [, rest = ''] = /^\d+ \(.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = rest.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return undefined;
  }
}
