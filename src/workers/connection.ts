import { NativeConnection } from '@temporalio/worker';
import { refusedByTemporal, requireListening, type TemporalPlace } from '../connectors/temporal.ts';

/**
 * A worker's connection to Temporal.
 * @throws SluiceError `StackUnavailable` where nobody answers, or not as Temporal
 */
export async function connectWorker(place: TemporalPlace): Promise<NativeConnection> {
  await requireListening(place);
  const { tls, apiKey, metadata } = place.options;
  try {
    return await NativeConnection.connect({
      address: place.address,
      ...(tls === undefined ? {} : { tls }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
    });
  } catch (error) {
    throw refusedByTemporal(place, error);
  }
}
