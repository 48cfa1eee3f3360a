import { setTimeout as wait } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { refusedByTemporal, requireListening, type TemporalPlace } from '../connectors/temporal.ts';

/** Temporal's library waits for an answer without end. */
const ANSWER_MS = 60_000;

/**
 * A worker's connection to Temporal.
 * @param withinMs how long Temporal may take to answer
 * @throws SluiceError `StackUnavailable` where nobody answers, or not as Temporal, or not in time
 */
export async function connectWorker(place: TemporalPlace, withinMs = ANSWER_MS): Promise<NativeConnection> {
  await requireListening(place);
  const { tls, apiKey, metadata } = place.options;
  const connecting = NativeConnection.connect({
    address: place.address,
    ...(tls === undefined ? {} : { tls }),
    ...(typeof apiKey === 'string' ? { apiKey } : {}),
    ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
  });
  const over = new AbortController();
  try {
    const late = wait(withinMs, undefined, { signal: over.signal }).then(() => {
      throw new Error(`nothing came within ${withinMs / 1_000} s`);
    });
    return await Promise.race([connecting, late]);
  } catch (error) {
    // One that comes all the same is nobody's.
    void connecting.then((connection) => connection.close()).catch(() => {});
    throw refusedByTemporal(place, error);
  } finally {
    over.abort();
  }
}
