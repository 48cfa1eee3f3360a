import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Python with what the benchmarks compare with, from PyPI into a folder beside the stack's cache; undefined where that cannot be had. */
export function python(): string | undefined {
  const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice', 'bench-python');
  const program = join(home, 'bin', 'python');
  if (!existsSync(program)) {
    const made = spawnSync('python3', ['-m', 'venv', home], { stdio: 'ignore' });
    if (made.status !== 0) return undefined;
  }
  const check = () => spawnSync(program, ['-c', 'import pandas, polars, pyarrow'], { stdio: 'ignore' }).status === 0;
  if (!check()) spawnSync(program, ['-m', 'pip', 'install', '-q', 'pandas', 'polars', 'pyarrow'], { stdio: 'ignore' });
  return check() ? program : undefined;
}

/** Runs a program that prints one JSON object as its last line. */
export function measured<T>(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): T {
  const out = execFileSync(program, args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
