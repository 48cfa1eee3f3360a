import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

const xdg = (variable: string, fallback: string): string => process.env[variable] || join(homedir(), fallback);

/** Where what is slow to obtain is kept, by name and version, for every checkout. */
export const cacheFolder = (): string => join(xdg('XDG_CACHE_HOME', '.cache'), 'sluice', 'stack');

/** Where one stack keeps its data, logs and state: the default one outlives the checkout. */
export const defaultStateFolder = (): string =>
  join(xdg('XDG_STATE_HOME', join('.local', 'state')), 'sluice', 'default');

/** The same for a server that refuses to run as root, when root starts it: root's own folders are closed to its user. */
export const openCacheFolder = '/var/cache/sluice';

export const openStateFolder = (stack: string): string =>
  join('/var/lib/sluice', createHash('sha256').update(stack).digest('hex').slice(0, 12));

export const isRoot = (): boolean => process.getuid?.() === 0;
