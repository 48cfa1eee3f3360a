import { join } from 'node:path';
import type { ChartPanel, Dashboard, MetricPanel } from '../../src/dashboards/panel.ts';
import { kibanaObjects } from '../../src/dashboards/kibana/objects.ts';
import type { SavedObject } from '../../src/dashboards/kibana/saved-object.ts';
import { panelConfig } from '../../src/dashboards/theme.ts';

export const definitions = join(import.meta.dirname, '..', '..', 'pipelines');

/** A dashboard with a chart, a filter, and metrics of every format, over an index of broadband’s form. */
export function sampleDashboard(index = 'sluice-sample'): Dashboard {
  const timeField = 'observed_at';
  const over = { index, timeField } as const;
  const chart: ChartPanel = {
    ...{ ...over, kind: 'chart', id: 'by-state', title: 'Usage by state', question: 'Which states have the most?' },
    ...{ needs: { observed_at: 'date', state: 'keyword', usage: 'double' }, size: { w: 16, h: 26 } },
    spec: {
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      config: panelConfig,
      data: {
        url: {
          ...{ '%context%': true, '%timefield%': timeField, index },
          body: {
            size: 0,
            aggs: {
              states: { terms: { field: 'state', size: 60 }, aggs: { mean: { avg: { field: 'usage' } } } },
            },
          },
        },
        format: { property: 'aggregations.states.buckets' },
      },
      mark: 'bar',
      encoding: {
        y: { field: 'key', type: 'nominal', sort: '-x' },
        x: { field: 'mean.value', type: 'quantitative' },
      },
    },
  };
  const tile = (
    id: string,
    title: string,
    format: MetricPanel['format'],
    metric: MetricPanel['metric'],
    needs: MetricPanel['needs'],
  ): MetricPanel => ({
    ...{ ...over, kind: 'metric', id, title, question: `${title}?`, format, metric, needs, size: { w: 8, h: 7 } },
  });
  return {
    ...{ ...over, id: 'sample', title: 'Sample', description: 'What a test has.' },
    filters: [{ field: 'state', title: 'State' }],
    panels: [
      tile('records', 'Records', 'number', { operation: 'count' }, {}),
      chart,
      {
        ...tile(
          'usage',
          'Usage in one state',
          'percent',
          { operation: 'average', field: 'usage' },
          { usage: 'double' },
        ),
        where: { field: 'state', is: 'C"A\\' },
      },
      tile('newest', 'Newest hour', 'ago', { operation: 'max', field: 'hour' }, { hour: 'date' }),
      tile('states', 'States', 'duration', { operation: 'unique_count', field: 'state' }, { state: 'keyword' }),
    ],
  };
}

export const sampleObjects = (index?: string): SavedObject[] => kibanaObjects([sampleDashboard(index)]);

/** Something JSON that may be changed. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what breaks an object may be anything
export type Loose = any;

/** Changes what a string of JSON holds. */
export const within = (text: string, change: (value: Loose) => void): string => {
  const value = JSON.parse(text) as Loose;
  change(value);
  return JSON.stringify(value);
};

/** Changes the spec of a chart among objects. */
export const inSpec =
  (change: (spec: Loose) => void) =>
  (objects: Loose[]): void => {
    const { attributes } = objects.find(({ type }) => type === 'visualization');
    attributes.visState = within(attributes.visState, ({ params }) => (params.spec = within(params.spec, change)));
  };
