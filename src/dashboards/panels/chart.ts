import { fieldTypes, type ChartPanel, type FieldType, type Json, type JsonObject } from '../panel.ts';
import type { Subject } from '../subject.ts';
import { configOf } from '../theme.ts';

export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

/** Fields that every index of ours has beside its columns. */
const own: Readonly<Record<string, FieldType>> = { hour: 'date', location: 'geo_point', batch: 'keyword' };

/** `data` of a chart: aggregations over the subject’s index, in Kibana’s dialect. @param rows path of the rows in the answer */
export function search(subject: Pick<Subject, 'index' | 'timeField'>, rows: string, aggs: JsonObject): JsonObject {
  const { index, timeField } = subject;
  return {
    url: { '%context%': true, '%timefield%': timeField, index, body: { size: 0, track_total_hits: false, aggs } },
    format: { property: rows },
  };
}

type ChartParts = Pick<ChartPanel, 'id' | 'title' | 'question' | 'size'> & {
  readonly needs: readonly string[];
  /** Without `$schema` and `config`. */
  readonly spec: { readonly [key: string]: Json };
};

/** A chart over a subject’s index. */
export function chart(subject: Subject, { id, title, question, size, needs, spec }: ChartParts): ChartPanel {
  const typeOf = (field: string): FieldType => {
    const type = subject.fields.get(field);
    const found = type === undefined ? own[field] : fieldTypes[type];
    if (found === undefined) throw new RangeError(`panel ${id} needs ${field}, which ${subject.pipeline} has not`);
    return found;
  };
  const { index, timeField, pipeline } = subject;
  return {
    kind: 'chart',
    id: `${pipeline}-${id.replaceAll('_', '-')}`,
    ...{ title, question, size, index, timeField },
    needs: Object.fromEntries([...new Set([timeField, ...needs])].map((field) => [field, typeOf(field)])),
    spec: { $schema: SCHEMA, config: configOf('light'), ...spec },
  };
}
