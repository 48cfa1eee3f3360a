import type { MetricPanel } from '../../panel.ts';
import { operationsMetric } from './panel.ts';

/** A tile for each way in which a run ends. */
export function runCounts(): MetricPanel[] {
  return (
    [
      ['completed', 'Runs completed', 'How many runs went through?'],
      ['unchanged', 'Runs without news', 'How many runs found the source as it was?'],
      ['failed', 'Runs failed', 'How many runs failed?'],
      ['cancelled', 'Runs cancelled', 'How many runs did somebody cancel?'],
    ] as const
  ).map(([outcome, title, question]) =>
    operationsMetric({
      id: `runs-${outcome}`,
      ...{ title, question },
      needs: ['outcome'],
      size: { w: 8, h: 6 },
      metric: { operation: 'count' },
      format: 'number',
      where: { field: 'outcome', is: outcome },
    }),
  );
}
