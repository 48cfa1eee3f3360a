import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StackProgress } from '../../stack/progress.ts';
import { provision } from '../../stack/provision.ts';
import { versions } from '../../stack/versions.ts';

/** Runs Temporal's own command against the server of an environment, as a user does. @returns what it prints */
export async function temporalCommand(
  environment: Readonly<Record<string, string | undefined>>,
  ...args: readonly string[]
): Promise<string> {
  const folder = await provision({ name: 'temporal', version: versions.temporal }, new StackProgress(() => {}));
  const { stdout } = await promisify(execFile)(join(folder, 'temporal'), args, {
    env: environment as NodeJS.ProcessEnv,
  });
  return stdout;
}
