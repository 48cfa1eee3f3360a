import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';
import { serverNames, type KafkaKind, type ServerName } from './versions.ts';

/** What one stack knows of itself, in its folder, readable by its owner alone. */
export interface StackState {
  readonly credentials: { readonly user: string; readonly password: string };
  readonly ports: Readonly<Record<string, number>>;
  readonly processes: Readonly<Partial<Record<ServerName, ProcessIdentity>>>;
  /** Which Kafka it has; absent before it has had one, and where an older version made it, which knew KRaft alone. */
  readonly kafka?: KafkaKind;
}

export const emptyState = (): StackState => ({
  credentials: { user: `sluice-${randomBytes(4).toString('hex')}`, password: randomBytes(24).toString('base64url') },
  ports: {},
  processes: {},
});

const file = (folder: string): string => join(folder, 'state.json');
const processFile = (folder: string, name: ServerName): string => join(folder, 'processes', `${name}.json`);

export async function readState(folder: string): Promise<StackState | undefined> {
  const state = await readJson<Omit<StackState, 'processes'>>(file(folder));
  if (!state) return undefined;
  const processes: Partial<Record<ServerName, ProcessIdentity>> = {};
  for (const name of serverNames) {
    const identity = await readJson<ProcessIdentity>(processFile(folder, name));
    if (identity) processes[name] = identity;
  }
  return { ...state, processes };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written beside and renamed, so that a kill in the middle leaves the old state. */
export async function writeState(folder: string, { credentials, ports, kafka }: StackState): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const temporary = `${file(folder)}.${process.pid}`;
  await writeFile(temporary, JSON.stringify({ credentials, ports, kafka }, null, 2), { mode: 0o600 });
  await rename(temporary, file(folder));
}

/**
 * Notes a server's process. Synchronous, so that nothing comes between its start and this: a kill there would leave a server that
 * nobody knows of.
 */
export function recordProcess(folder: string, name: ServerName, identity: ProcessIdentity): void {
  const path = processFile(folder, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, JSON.stringify(identity), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
