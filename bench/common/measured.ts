import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { versions } from '../../stack/versions.ts';

/**
 * Python with what the benchmarks compare with, from PyPI into a folder beside the stack's cache; undefined where that cannot be had.
 * @param what `pyspark` is 455 MB, and fetched only where it is asked for.
 */
export function python(what: 'frames' | 'pyspark' = 'frames'): string | undefined {
  const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice', 'bench-python');
  const program = join(home, 'bin', 'python');
  const ran = (command: string, ...args: string[]): boolean =>
    spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  if (!existsSync(program) && !ran('python3', '-m', 'venv', home)) return undefined;
  const [test, packages] =
    what === 'frames'
      ? ['import pandas, polars, pyarrow', ['pandas', 'polars', 'pyarrow']]
      : [`import pyspark; assert pyspark.__version__ == '${versions.spark}'`, [`pyspark==${versions.spark}`]];
  const has = (): boolean => ran(program, '-c', test);
  if (!has()) ran(program, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...packages);
  return has() ? program : undefined;
}

/** Runs a program that prints one JSON object as its last line. What it says besides is shown where it fails. */
export function measured<T>(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): T {
  const out = execFileSync(program, args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
