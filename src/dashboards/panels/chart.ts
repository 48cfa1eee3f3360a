import { fieldTypes, type ChartPanel, type FieldType, type Json, type JsonObject, type MetricPanel } from '../panel.ts';
import type { Subject } from '../subject.ts';
import { panelConfig } from '../theme.ts';

export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

/** Fields that every index of ours has beside its columns. */
const own: Readonly<Record<string, FieldType>> = {
  hour: 'date',
  location: 'geo_point',
  batch: 'keyword',
  generation: 'integer',
  present: 'boolean',
};

/**
 * `data` of a chart: one aggregation over the subject’s index, in Kibana’s dialect. Of an index in mode `latest` it sees what the newest
 * hour has, and not what is gone.
 * @param rows where the rows are in the aggregation’s answer
 */
export function search(
  { index, timeField, mode }: Pick<Subject, 'index' | 'timeField' | 'mode'>,
  rows: 'buckets' | 'values',
  aggregation: JsonObject,
): JsonObject {
  const [aggs, path]: [JsonObject, string] =
    mode === 'latest'
      ? [{ present: { filter: { term: { present: true } }, aggs: { rows: aggregation } } }, 'present.rows']
      : [{ rows: aggregation }, 'rows'];
  return asked({ index, timeField }, { size: 0, track_total_hits: false, aggs }, `aggregations.${path}.${rows}`);
}

/** `data` of a chart in Kibana’s dialect. @param rows path of the rows in the answer */
export const asked = (
  { index, timeField }: Pick<Subject, 'index' | 'timeField'>,
  body: JsonObject,
  rows: string,
): JsonObject => ({
  url: { '%context%': true, '%timefield%': timeField, index, body },
  format: { property: rows },
});

/** A chart’s spec with what all of them have. */
export const vegaLite = (spec: JsonObject): JsonObject => ({ $schema: SCHEMA, config: panelConfig, ...spec });

type PanelParts = Pick<ChartPanel, 'id' | 'title' | 'question' | 'size'> & { readonly needs: readonly string[] };
type ChartParts = PanelParts & {
  /** Without `$schema` and `config`. */
  readonly spec: { readonly [key: string]: Json };
};
type MetricParts = PanelParts & Pick<MetricPanel, 'metric' | 'format'>;

/** A chart over a subject’s index. */
export function chart(subject: Subject, { spec, ...parts }: ChartParts): ChartPanel {
  return { kind: 'chart', ...base(subject, parts), spec: vegaLite(spec) };
}

/** One number over a subject’s index; in mode `latest` of what the newest hour has. */
export function tile(subject: Subject, { metric, format, ...parts }: MetricParts): MetricPanel {
  const where = subject.mode === 'latest' ? { where: { field: 'present', is: 'true' } } : {};
  return { kind: 'metric', ...base(subject, parts), metric, format, ...where };
}

function base(subject: Subject, { id, title, question, size, needs }: PanelParts): Omit<ChartPanel, 'kind' | 'spec'> {
  const typeOf = (field: string): FieldType => {
    const type = subject.fields.get(field);
    const found = type === undefined ? own[field] : fieldTypes[type];
    if (found === undefined) throw new RangeError(`panel ${id} needs ${field}, which ${subject.pipeline} has not`);
    return found;
  };
  const { index, timeField, pipeline, mode } = subject;
  const all = new Set([timeField, ...needs, ...(mode === 'latest' ? ['present'] : [])]);
  return {
    id: `${pipeline}-${id.replaceAll('_', '-')}`,
    ...{ title, question, size, index, timeField },
    needs: Object.fromEntries([...all].map((field) => [field, typeOf(field)])),
  };
}
