import { Session } from 'node:inspector/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { keys } from '../definition/names.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { StageDeps } from './deps.ts';

/** A profile of more than that is cut off: it says what there is to say, and grows by the minute. */
const LONGEST_MS = 5 * 60_000;
const SAMPLE_EVERY_US = 1_000;
const LARGEST_BYTES = 64 * 1024 * 1024;
/** A stage that is done does not wait for its profile longer than that. */
const KEPT_WITHIN_MS = 10_000;

/** Of which stage of which run a profile is. */
export interface ProfileOf {
  readonly pipeline: string;
  readonly hour: LogicalHour;
  readonly runId: string;
  readonly stage: string;
}

/** There is one thread to profile, so there is one profile at a time. */
let taken = false;

/**
 * Does some work and stores a CPU profile of the thread that it runs in (Chrome's and VS Code's `.cpuprofile`), of its first five minutes.
 * Whatever the thread does for others meanwhile is in it, too; what threads of their own do, as DuckDB's, is not.
 * @param failed told why there is none; the work goes on
 * @param keptWithinMs so long the store has for it
 * @returns what came of the work, and the profile's uri
 */
export async function profiled<T>(
  { store }: Pick<StageDeps, 'store'>,
  of: ProfileOf,
  work: () => Promise<T>,
  failed: (why: unknown) => void,
  keptWithinMs = KEPT_WITHIN_MS,
): Promise<{ readonly result: T; readonly profile?: string }> {
  if (taken) {
    failed(new Error('another stage is profiled in this worker'));
    return { result: await work() };
  }
  taken = true;
  const stopping = begin().catch((error: unknown) => {
    failed(error);
    return undefined;
  });
  const stop = await stopping;
  const stored = async (): Promise<string | undefined> => {
    const bytes = await stop?.();
    if (bytes === undefined) return undefined;
    if (bytes.length > LARGEST_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    return (await store.put(keys.profile(of.pipeline, of.hour, of.runId, of.stage), bytes)).uri;
  };
  const keep = async (): Promise<string | undefined> => {
    const late = new AbortController();
    const tooLate = wait(keptWithinMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`it could not be stored within ${keptWithinMs / 1_000} s`);
    });
    try {
      return await Promise.race([stored(), tooLate]);
    } catch (error) {
      failed(error);
      return undefined;
    } finally {
      tooLate.catch(() => {});
      late.abort();
    }
  };
  let profile: string | undefined;
  try {
    const result = await work();
    profile = await keep();
    return { result, ...(profile === undefined ? {} : { profile }) };
  } catch (error) {
    // What failed is worth looking at, too.
    await keep();
    throw error;
  } finally {
    taken = false;
  }
}

/** @returns what ends it, and gives the profile */
async function begin(): Promise<() => Promise<Buffer>> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    await session.post('Profiler.start');
  } catch (error) {
    session.disconnect();
    throw error;
  }
  const end = async (): Promise<Buffer> => {
    try {
      const { profile } = await session.post('Profiler.stop');
      return Buffer.from(JSON.stringify(profile));
    } finally {
      session.disconnect();
    }
  };
  let early: Promise<Buffer> | undefined;
  const late = setTimeout(() => {
    early = end();
    early.catch(() => {});
  }, LONGEST_MS).unref();
  return () => {
    clearTimeout(late);
    return (early ??= end());
  };
}
