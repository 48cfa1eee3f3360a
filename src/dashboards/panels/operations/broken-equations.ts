import type { MetricPanel } from '../../panel.ts';
import { operationsMetric } from './panel.ts';

/** How many row equations do not hold: 0, or rows are missing. */
export function brokenEquations(): MetricPanel {
  return operationsMetric({
    id: 'broken-equations',
    title: 'Equations that do not hold',
    question: 'Did any run lose rows, or double them?',
    needs: ['holds'],
    size: { w: 8, h: 6 },
    metric: { operation: 'count' },
    format: 'number',
    where: { field: 'holds', is: 'false' },
  });
}
