import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { home } from './lab.ts';

/** One protection taken away: texts of files, each of which must stand there exactly once. */
export type Mutation = readonly (readonly [file: string, text: string, instead: string])[];

/**
 * A copy of the sources without one protection, for a process of its own.
 * @throws Error where a text is not there exactly once: the code was changed, and the control would prove nothing
 */
export function mutant(folder: string, mutation: Mutation): string {
  const copy = mkdtempSync(join(folder, 'mutant-'));
  const inCopy = ['src', 'bin', 'package.json', join('test', 'faults', 'stage-process.ts')];
  for (const name of inCopy) cpSync(join(home, name), join(copy, name), { recursive: true });
  symlinkSync(join(home, 'node_modules'), join(copy, 'node_modules'));
  for (const [file, wanted, instead] of mutation) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    const times = text.split(wanted).length - 1;
    if (times !== 1) throw new Error(`${file} holds ${times} times what a control wants to take away: ${wanted}`);
    writeFileSync(
      path,
      text.replace(wanted, () => instead),
    );
  }
  return copy;
}
