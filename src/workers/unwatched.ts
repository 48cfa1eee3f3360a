import { setTimeout as wait } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { isServed, NOBODY_WATCHES } from '../connectors/watch-served.ts';
import type { WorkerSettings } from '../connectors/worker-settings.ts';

/** What starts together with this worker, `sluice serve` too, is there by the second look. */
const LOOK_EVERY_MS = 30_000;
const ANSWER_MS = 10_000;

/** Warns where this worker takes up runs and nobody what tells of their problems: once, and once more each time that somebody did meanwhile. Never throws. */
export async function warnWhereUnwatched(
  connection: NativeConnection,
  namespace: string,
  queues: WorkerSettings['queues'],
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (!queues.has('light') || queues.has('watch')) return;
  for (let missed = 0; !signal.aborted;) {
    try {
      const watched = await connection.withDeadline(Date.now() + ANSWER_MS, () =>
        isServed(connection.workflowService, namespace, 'watch', Date.now()),
      );
      missed = watched ? 0 : missed + 1;
      if (missed === 2) warn(NOBODY_WATCHES);
    } catch {
      // Temporal is away, or lets nobody ask: the next look tells.
    }
    await wait(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}
