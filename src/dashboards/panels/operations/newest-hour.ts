import type { MetricPanel } from '../../panel.ts';
import { operationsMetric } from './panel.ts';

/** How old the newest hour is that a run took to its end. */
export function newestHour(): MetricPanel {
  return operationsMetric({
    id: 'newest-hour',
    title: 'Newest hour that is done',
    question: 'How fresh is what readers see?',
    needs: ['doneHour'],
    size: { w: 8, h: 6 },
    metric: { operation: 'max', field: 'doneHour' },
    format: 'ago',
  });
}
