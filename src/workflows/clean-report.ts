import type { CleanResult } from '../activities/index.ts';
import type { RunReport } from './messages.ts';

/** What a run's report says of its cleaning. */
export function cleanReport({ engine, quality, rejectedBy, batches, spark }: CleanResult): Pick<RunReport, 'clean'> {
  const datasets = batches.map(({ dataset, rows, clean, checksum }) => {
    return [dataset, { rows, sha256: clean.sha256, checksum }] as const;
  });
  const worked = spark ? { spark } : {};
  return { clean: { engine, quality, rejectedBy, datasets: Object.fromEntries(datasets), ...worked } };
}
