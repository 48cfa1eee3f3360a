import { tellSafely } from '../stages/tell-safely.ts';
import type { Metrics } from '../stages/deps.ts';
import { datasetOf } from '../definition/names.ts';
import type { ConsumeInput } from '../stages/io.ts';
import type { ConsumeHooks } from '../stages/landing/consume.ts';

/**
 * Tells of what a consumer lands and of how far it is behind, and that it has left once it does.
 * @param failed told why something could not be told; the consumer goes on
 */
export function measuredConsumer(
  metrics: Metrics | undefined,
  { stream, shard }: Pick<ConsumeInput, 'stream' | 'shard'>,
  failed: (why: unknown) => void = () => {},
): { readonly hooks: Pick<ConsumeHooks, 'status' | 'committed'>; left(): void } {
  if (metrics === undefined) return { hooks: {}, left: () => {} };
  const whose = datasetOf(stream);
  const which = { ...whose, shard: String(shard) };
  const tell = (what: () => void): void => tellSafely(what, failed);
  const stands = (lag: number, openBatches: number): void =>
    tell(() => {
      metrics.set('sluice_consumer_lag_records', lag, which);
      metrics.set('sluice_consumer_open_batches', openBatches, which);
    });
  return {
    hooks: {
      status: ({ lag, openBatches }) => stands(lag, openBatches),
      committed: ({ rows, bytes, resent, foreign, deadLetters, lost }) =>
        tell(() => {
          const counts = { landed: rows, resent, foreign, 'dead-letter': deadLetters, lost };
          for (const [outcome, count] of Object.entries(counts)) {
            metrics.add('sluice_rows_total', count, { ...whose, stage: 'land', outcome });
          }
          metrics.add('sluice_bytes_total', bytes, { ...whose, stage: 'land' });
          metrics.observe('sluice_chunk_rows', rows, whose);
          metrics.observe('sluice_chunk_size_bytes', bytes, whose);
        }),
    },
    // A series cannot be taken back, and whichever worker has the consumer now says otherwise.
    left: () => stands(Number.NaN, Number.NaN),
  };
}
