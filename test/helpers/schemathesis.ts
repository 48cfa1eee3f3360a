import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { cacheFolder } from '../../stack/paths.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provisionInto } from '../../stack/provision.ts';
import { requirePip } from '../../stack/tools.ts';

const version = '4.32.5';
const run = promisify(execFile);

/** Schemathesis in the cache of the stack, by its version. @returns the folder that Python finds it in */
export async function schemathesis(): Promise<string> {
  const folder = join(cacheFolder(), `schemathesis-${version}`);
  return provisionInto(folder, 'schemathesis', new StackProgress(() => {}), async (partial) => {
    await requirePip('Schemathesis');
    const install = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-compile', '--target', partial];
    await run('python3', [...install, `schemathesis==${version}`], { maxBuffer: 16 * 1024 * 1024 });
  });
}

/** Runs it on an API's own description. @returns what it printed, and its exit code: 0 where it found nothing */
export async function testByDescription(
  url: string,
  { config, folder, args }: { readonly config: string; readonly folder: string; readonly args: readonly string[] },
): Promise<{ readonly code: number; readonly out: string }> {
  const environment = { ...process.env, PYTHONPATH: await schemathesis(), NO_COLOR: '1' };
  const all = ['-m', 'schemathesis.cli', '--config-file', config, 'run', `${url}/openapi.json`, ...args];
  return run('python3', all, { cwd: folder, env: environment, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? -1,
      out: `${error.stdout ?? ''}${error.stderr ?? ''}`,
    }),
  );
}
