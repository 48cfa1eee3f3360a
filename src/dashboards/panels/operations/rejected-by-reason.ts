import type { ChartPanel } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { aggregated, kind, operationsChart } from './panel.ts';

const REASONS = 15;

/** Reasons for which rows were rejected, the most frequent on top. */
export function rejectedByReason(): ChartPanel {
  return operationsChart({
    id: 'rejected-by-reason',
    title: 'Rejected by reason',
    question: 'Why were rows rejected?',
    needs: ['kind', 'reason', 'rows'],
    size: { w: 20, h: 20 },
    spec: {
      data: aggregated([kind('rejection')], 'reasons.buckets', {
        reasons: {
          terms: { field: 'reason', size: REASONS, order: { rows: 'desc' } },
          aggs: { rows: { sum: { field: 'rows' } } },
        },
      }),
      encoding: {
        y: { field: 'key', type: 'nominal', sort: { field: 'rows.value', op: 'max', order: 'descending' }, axis: null },
      },
      layer: [
        {
          mark: { type: 'bar', color: palette.bad, size: { expr: "min(14, bandwidth('y') * 0.4)" }, yOffset: 7 },
          encoding: {
            x: {
              field: 'rows.value',
              type: 'quantitative',
              title: 'rejected rows, over all runs',
              axis: { format: '~s', tickCount: 4 },
            },
            tooltip: [
              { field: 'key', type: 'nominal', title: 'column and rule' },
              { field: 'rows.value', type: 'quantitative', title: 'rows', format: ',' },
              { field: 'doc_count', type: 'quantitative', title: 'runs', format: ',' },
            ],
          },
        },
        {
          mark: { type: 'text', align: 'left', dy: -7, limit: { expr: 'width' } },
          encoding: { x: { value: 0 }, text: { field: 'key', type: 'nominal' } },
        },
      ],
    },
  });
}
