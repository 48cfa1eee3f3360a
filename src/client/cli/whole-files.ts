import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';

/** By then whoever has begun to write a file is done, whatever process has its number now. */
const OLD_MS = 24 * 3_600_000;

/**
 * Writes a file that is there only once it is whole. What others that were ended had begun of it is taken away.
 * @throws SluiceError `SettingsInvalid` where it cannot be written
 */
export async function writeWhole(path: string, content: Buffer | string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await sweep(path);
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    throw new SluiceError('SettingsInvalid', `${path} cannot be written: ${sentenceOf(error)}.`, { cause: error });
  } finally {
    await rm(partial, { force: true }).catch(() => {});
  }
}

/** Takes away what processes that are no more, or long ago, had begun of a file. Nobody minds where that cannot be. */
async function sweep(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const found of await readdir(folder).catch((): string[] => [])) {
    const pid = found.startsWith(`${name}.`)
      ? /^(\d{1,10})\.partial$/.exec(found.slice(name.length + 1))?.[1]
      : undefined;
    if (pid === undefined) continue;
    const partial = join(folder, found);
    const since = await stat(partial)
      .then(({ mtimeMs }) => mtimeMs)
      .catch(() => undefined);
    if (since === undefined) continue;
    if (!isAlive(Number(pid)) || since < Date.now() - OLD_MS) await rm(partial, { force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may be somebody else’s.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
