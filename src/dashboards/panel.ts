import type { ColumnType } from '../definition/columns.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Type of a field in Elasticsearch, as its mapping names it. */
export type FieldType = 'keyword' | 'long' | 'integer' | 'double' | 'boolean' | 'date' | 'date_range' | 'geo_point';

interface PanelBase {
  /** Stable, since saved objects and links hold it: lower case letters, digits and -. */
  readonly id: string;
  readonly title: string;
  /** What a reader learns from it, as one question. */
  readonly question: string;
  /** Alias that it asks. */
  readonly index: string;
  /** Date field that the time range applies to. */
  readonly timeField: string;
  /** What it needs of the index. */
  readonly needs: Readonly<Record<string, FieldType>>;
  /** Of Kibana's 48 columns, and rows of 20 pixels or so. */
  readonly size: { readonly w: number; readonly h: number };
}

/**
 * A chart: Vega-Lite (v5) in Kibana's dialect. `data.url` is an object `{ "%context%": true, "%timefield%": …, index, body }`, and
 * `data.format.property` says where in Elasticsearch's answer the rows are.
 */
export interface ChartPanel extends PanelBase {
  readonly kind: 'chart';
  readonly spec: JsonObject;
}

/** One number: a Lens metric in Kibana, a tile on the page. */
export interface MetricPanel extends PanelBase {
  readonly kind: 'metric';
  readonly metric:
    | { readonly operation: 'count' }
    | { readonly operation: 'average' | 'max' | 'min' | 'sum' | 'unique_count'; readonly field: string };
  /** `number`: with thousands; `percent`: of a fraction; `ago`: of a date, how long it is past; `duration`: of milliseconds. */
  readonly format: 'number' | 'percent' | 'ago' | 'duration';
  /** Only documents with this value count: field and term. */
  readonly where?: { readonly field: string; readonly is: string };
}

export type Panel = ChartPanel | MetricPanel;

/** Panels that belong together, in the order in which they are laid out. */
export interface Dashboard {
  /** Stable: `data-<pipeline>` or `operations`. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly index: string;
  readonly timeField: string;
  /** What is shown at first, as Elasticsearch takes dates; the last 24 hours where left out. */
  readonly range?: { readonly from: string; readonly to: string };
  /** Fields that readers may filter by, with what they are called. */
  readonly filters: readonly { readonly field: string; readonly title: string }[];
  readonly panels: readonly Panel[];
}

/** The type that a column's field has; src/stages/indexing/mapping.ts makes it so, and a test holds the two together. */
export const fieldTypes: Readonly<Record<ColumnType, FieldType>> = {
  string: 'keyword',
  integer: 'long',
  decimal: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'date',
};
