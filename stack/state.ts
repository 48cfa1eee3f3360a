import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';
import type { ServerName } from './versions.ts';

/** What one stack knows of itself, in its folder, readable by its owner alone. */
export interface StackState {
  readonly credentials: { readonly user: string; readonly password: string };
  readonly ports: Readonly<Record<string, number>>;
  readonly processes: Readonly<Partial<Record<ServerName, ProcessIdentity>>>;
}

export const emptyState = (): StackState => ({
  credentials: { user: `sluice-${randomBytes(4).toString('hex')}`, password: randomBytes(24).toString('base64url') },
  ports: {},
  processes: {},
});

const file = (folder: string): string => join(folder, 'state.json');

export async function readState(folder: string): Promise<StackState | undefined> {
  try {
    return JSON.parse(await readFile(file(folder), 'utf8')) as StackState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written beside and renamed, so that a kill in the middle leaves the old state. */
export async function writeState(folder: string, state: StackState): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const temporary = `${file(folder)}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(temporary, file(folder));
}
