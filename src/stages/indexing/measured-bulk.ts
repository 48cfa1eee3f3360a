import type { Metrics } from '../../connectors/metrics.ts';
import type { BulkRequestOutcome } from '../../definition/metrics.ts';
import { datasetOf } from '../../definition/names.ts';
import { tellSafely } from '../tell-safely.ts';
import type { BulkRequest } from './bulk-sender.ts';

/** Tells of each bulk request of a stream's documents. Documents go on whether it can be told or not. */
export function measuredBulk(metrics: Metrics | undefined, stream: string): (request: BulkRequest) => void {
  const whose = datasetOf(stream);
  return ({ ms, bytes, documents }) => {
    if (metrics === undefined) return;
    tellSafely(
      () => {
        metrics.add('sluice_bulk_requests_total', 1, { ...whose, outcome: outcomeOf(documents) });
        metrics.observe('sluice_bulk_request_duration_seconds', ms / 1_000, whose);
        metrics.add('sluice_bytes_total', bytes, { ...whose, stage: 'index' });
        for (const [outcome, count] of Object.entries(documents ?? {})) {
          metrics.add('sluice_bulk_documents_total', count, { ...whose, outcome });
        }
      },
      () => {},
    );
  };
}

/** A document that something newer stands for is as it should be. */
function outcomeOf(documents: BulkRequest['documents']): BulkRequestOutcome {
  if (documents === undefined) return 'failed';
  return documents.again + documents.refused > 0 ? 'partial' : 'ok';
}
