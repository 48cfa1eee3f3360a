import type { JsonObject, MetricPanel } from '../panel.ts';
import { ids, savedObject, type SavedObject } from './saved-object.ts';

const LAYER = 'layer';
const COLUMN = 'value';

/** What Lens calls all documents where an operation wants a field. */
const RECORDS = '___records___';

/** A metric as a tile of Lens. `ago` shows the date itself there: Lens knows no other way for a date. */
export function lensObject(id: string, panel: MetricPanel): SavedObject {
  const { title, question } = panel;
  const layer = { columnOrder: [COLUMN], columns: { [COLUMN]: columnOf(panel) }, incompleteColumns: {} };
  const attributes = {
    ...{ title, description: question, visualizationType: 'lnsMetric' },
    state: {
      datasourceStates: { formBased: { layers: { [LAYER]: layer } } },
      visualization: { layerId: LAYER, layerType: 'data', metricAccessor: COLUMN },
      query: { query: '', language: 'kuery' },
      ...{ filters: [], internalReferences: [], adHocDataViews: {} },
    },
  };
  const name = `indexpattern-datasource-layer-${LAYER}`;
  return savedObject('lens', id, attributes, [{ name, type: 'index-pattern', id: ids.view(panel) }]);
}

function columnOf({ title, metric, format, where }: MetricPanel): JsonObject {
  const shown = formats[format];
  return {
    ...{ label: title, customLabel: true, isBucketed: false, scale: 'ratio' },
    dataType: format === 'ago' ? 'date' : 'number',
    operationType: metric.operation,
    sourceField: metric.operation === 'count' ? RECORDS : metric.field,
    params: { emptyAsNull: true, ...(shown === undefined ? {} : { format: shown }) },
    ...(where === undefined ? {} : { filter: { query: kql(where.field, where.is), language: 'kuery' } }),
  };
}

const formats: Readonly<Record<MetricPanel['format'], JsonObject | undefined>> = {
  number: { id: 'number', params: { decimals: 0 } },
  percent: { id: 'percent', params: { decimals: 1 } },
  duration: { id: 'duration', params: { decimals: 1, fromUnit: 'milliseconds', toUnit: 'humanizePrecise' } },
  ago: undefined,
};

/** `field: "value"` in Kibana’s query language. */
export const kql = (field: string, value: string): string => `${field}: "${value.replaceAll(/["\\]/g, '\\$&')}"`;
