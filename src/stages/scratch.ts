import type { Store } from '../connectors/object-store.ts';
import { SluiceError } from '../definition/errors.ts';

/** What an attempt leaves behind is of use for a day. */
const LEFT_OVER_MS = 24 * 3_600_000;

/** Removes temporary objects below a prefix that no attempt will come back for. @returns how many */
export async function collectLeftOvers(
  store: Pick<Store, 'list' | 'remove'>,
  prefix: string,
  now: number,
): Promise<number> {
  requireTemporary(prefix);
  const stale: string[] = [];
  for await (const { key, lastModified } of store.list(prefix)) {
    if (now - lastModified.getTime() > LEFT_OVER_MS) stale.push(key);
  }
  await store.remove(stale);
  return stale.length;
}

/** Removes all temporary objects below a prefix. */
export async function removeScratch(store: Pick<Store, 'removeBelow'>, prefix: string): Promise<void> {
  requireTemporary(prefix);
  await store.removeBelow(prefix);
}

function requireTemporary(prefix: string): void {
  if (prefix.startsWith('tmp/')) return;
  throw new SluiceError('RecordConflict', `${prefix} is no place of temporary objects.`);
}
