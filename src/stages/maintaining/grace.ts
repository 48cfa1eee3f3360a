import { randomUUID } from 'node:crypto';
import type { Store } from '../../connectors/object-store.ts';

/**
 * How long what nothing reaches any more stays: a reader that began before, an index run among them, goes on with what it knows. An
 * attempt of a stage may take six hours.
 */
export const GRACE_MS = 24 * 3_600_000;

/** The store's own clock, in milliseconds since 1970: ages are told by its times, whatever this machine believes. */
export async function storeNow(store: Pick<Store, 'put' | 'list' | 'remove'>): Promise<number> {
  const key = `tmp/clock-${randomUUID()}`;
  await store.put(key, Buffer.from('now'));
  try {
    for await (const { lastModified } of store.list(key)) return lastModified.getTime();
    return Date.now();
  } finally {
    await store.remove([key]);
  }
}
