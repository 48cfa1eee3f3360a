import type { WatchMemory } from './memory.ts';

/** Queues that runs and consumers need. */
export const watchedQueues = ['light', 'compute', 'streaming'] as const;
export type WatchedQueue = (typeof watchedQueues)[number];

/** When a worker of a queue was last seen. */
export interface SeenQueue {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How much of the time since then nobody looked, as Temporal was away, say: in that, nobody can tell who else was there. Milliseconds. */
  readonly unlooked: number;
}

/** One that could not be asked about is left out. */
export type SeenQueues = ReadonlyMap<WatchedQueue, SeenQueue>;

/** For how long nobody has served a queue, as far as it was looked at. Milliseconds. */
export const unservedMs = ({ at, unlooked }: SeenQueue, now: number): number => now - at - unlooked;

/**
 * A queue as it is known from before, and as it was seen now. One that was never seen is counted from now on.
 * @param seen when a worker was last seen; 0 where none was. Milliseconds since 1970
 * @param away for how long nobody looked before this look. Milliseconds
 */
export function seenQueue(
  queue: WatchedQueue,
  seen: number,
  { queues, unlooked }: WatchMemory,
  { now, away }: { readonly now: number; readonly away: number },
): SeenQueue {
  const known = queues?.[queue];
  if (known === undefined) return { at: seen === 0 ? now : seen, unlooked: 0 };
  const before = Date.parse(known);
  // What is remembered has no parts of a millisecond.
  const polled = Math.floor(seen);
  return polled > before
    ? { at: polled, unlooked: 0 }
    : { at: Math.min(now, before), unlooked: (unlooked?.[queue] ?? 0) + away };
}

/** What is to be remembered of the time in which nobody looked; nothing of a queue that was seen since. */
export function unlookedOf(
  seen: SeenQueues,
  { queues, unlooked }: WatchMemory,
  away: number,
): Partial<Record<WatchedQueue, number>> {
  const known = watchedQueues.flatMap((queue): [WatchedQueue, number][] => {
    // One that could not be asked about now is known from before.
    const ms = seen.get(queue)?.unlooked ?? (queues?.[queue] === undefined ? 0 : (unlooked?.[queue] ?? 0) + away);
    return ms > 0 ? [[queue, ms]] : [];
  });
  return Object.fromEntries(known);
}
