import { randomUUID } from 'node:crypto';
import { SluiceError } from '../../definition/errors.ts';
import type { StageDeps } from '../deps.ts';

const WRITERS = 32;
const passed = new WeakSet<object>();

/**
 * Lets 32 writers create one key at once. The whole streaming contract stands on exactly one of them winning, and some
 * S3 servers let two. Once a process and store.
 * @throws SluiceError `StoreNotCreateOnce`
 */
export async function proveCreateOnce({ store }: Pick<StageDeps, 'store'>): Promise<void> {
  if (passed.has(store)) return;
  const key = `tmp/create-once-${randomUUID()}`;
  try {
    const outcomes = await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => store.createOnce(key, Buffer.from(`writer ${writer}`))),
    );
    const winners = outcomes.filter((outcome) => outcome.created).length;
    const standing = new Set(outcomes.map((outcome) => outcome.bytes.toString())).size;
    if (winners !== 1 || standing !== 1) {
      throw new SluiceError(
        'StoreNotCreateOnce',
        `${winners} of ${WRITERS} writers created the same object: this object store does not keep If-None-Match, ` +
          'and rows could be lost on it. Use MinIO, or another store whose conditional writes are atomic.',
      );
    }
    passed.add(store);
  } finally {
    await store.remove([key]);
  }
}
