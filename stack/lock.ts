import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts';

/**
 * Runs some work while holding a lock file. A lock whose holder is gone (killed, or its pid given to another process) is taken over.
 * @param waiting called once when somebody else holds it
 */
export async function withLock<T>(path: string, waiting: (holder: number) => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const me = identityOf(process.pid);
  let told = false;
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(JSON.stringify(me));
      await file.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await holderOf(path);
    if (holder === 'gone') {
      // Renamed first: of two that see the same dead holder, one takes its lock away, and the other finds nothing.
      const dead = `${path}.${process.pid}.dead`;
      await rename(path, dead).catch(() => {});
      await rm(dead, { force: true });
      continue;
    }
    if (holder !== undefined && !told) waiting(holder.pid);
    told = true;
    await wait(250);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** Who holds a lock; `gone` where that process is no more, undefined while the file is being written or removed. */
async function holderOf(path: string): Promise<ProcessIdentity | 'gone' | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    if (text === '') return (await emptyFor(path, 2_000)) ? 'gone' : undefined;
    const holder = JSON.parse(text) as ProcessIdentity;
    return isAlive(holder) ? holder : 'gone';
  } catch {
    return undefined;
  }
}

async function emptyFor(path: string, ms: number): Promise<boolean> {
  await wait(ms);
  return (await readFile(path, 'utf8').catch(() => 'removed')) === '';
}
