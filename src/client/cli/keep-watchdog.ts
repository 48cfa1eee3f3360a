import { setTimeout as wait } from 'node:timers/promises';
import { TemporalSession } from '../api/temporal-session.ts';

const LOOK_EVERY_MS = 10_000;
const ANSWER_MS = 10_000;

/** Sees to it that the watchdog runs: as soon as Temporal is there, and again where somebody has ended it. @returns stops that; the watchdog goes on */
export function keepWatchdog(environment: Readonly<Record<string, string | undefined>>): () => Promise<void> {
  const session = new TemporalSession(environment);
  const stop = new AbortController();
  const kept = (async () => {
    while (!stop.signal.aborted) {
      // Where it is away, so is all that could be watched.
      await session.use((client) => client.watchdog.keep(), ANSWER_MS).catch(() => {});
      await wait(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
    await session.close();
  })();
  return async () => {
    stop.abort();
    await kept;
  };
}
