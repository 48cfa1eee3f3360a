import { operationsIndex } from '../../../definition/names.ts';
import { operationsFields, type OperationsField } from '../../../definition/operations.ts';
import type { ChartPanel, Json, JsonObject, MetricPanel } from '../../panel.ts';
import { asked, vegaLite } from '../chart.ts';

/** What all panels over runs ask, and by which time: that of the end of a run, so that a range has runs as a whole. */
export const over = { index: operationsIndex, timeField: 'at' } as const;

type Parts<P> = Omit<P, 'kind' | 'needs' | 'index' | 'timeField'> & { readonly needs: readonly OperationsField[] };

/** A chart over what is indexed of runs. @param spec without `$schema` and `config` */
export function operationsChart({ id, needs, spec, ...parts }: Parts<ChartPanel>): ChartPanel {
  return { kind: 'chart', ...parts, ...over, ...named(id, needs), spec: vegaLite(spec) };
}

/** A number over what is indexed of runs. */
export function operationsMetric({ id, needs, ...parts }: Parts<MetricPanel>): MetricPanel {
  return { kind: 'metric', ...parts, ...over, ...named(id, needs) };
}

const named = (id: string, needs: readonly OperationsField[]) => ({
  id: `operations-${id}`,
  needs: Object.fromEntries(['at' as const, ...needs].map((field) => [field, operationsFields[field]])),
});

/**
 * `data` of a chart: the newest documents that fit, each a row below `_source`. The reader's range and filters are Kibana's `query`, so what the
 * panel itself looks for is a filter behind it.
 */
export function newest(size: number, filter: readonly JsonObject[], fields: readonly OperationsField[]): JsonObject {
  const body = {
    ...{ size, track_total_hits: false, _source: [...new Set(['at', ...fields])] },
    sort: [{ at: 'desc' }],
    post_filter: { bool: { filter: [...filter] } },
  };
  return asked(over, body, 'hits.hits');
}

/** `data` of a chart: aggregations over the documents that fit, below `fitting`. @param rows path of the rows below it */
export function aggregated(filter: readonly JsonObject[], rows: string, aggs: JsonObject): JsonObject {
  const body = {
    ...{ size: 0, track_total_hits: false },
    aggs: { fitting: { filter: { bool: { filter: [...filter] } }, aggs } },
  };
  return asked(over, body, `aggregations.fitting.${rows}`);
}

/**
 * `data` of a chart: what lasted at any moment of the reader's range, the newest, in a row for what had begun before it, whose `to` is the beginning of the
 * range, and one for the rest; below `newest.hits.hits` so many of each.
 */
export function lasting(size: number, filter: readonly JsonObject[], fields: readonly OperationsField[]): JsonObject {
  const start = { '%timefilter%': 'min' };
  const hits = { size, _source: [...fields], sort: [{ startedAt: 'desc' }] };
  const began = {
    date_range: {
      field: 'startedAt',
      ranges: [
        { key: 'before', to: start },
        { key: 'within', from: start },
      ],
    },
    aggs: { newest: { top_hits: hits } },
  };
  const aggs = { fitting: { filter: { bool: { filter: [...filter] } }, aggs: { began } } };
  const body = { size: 0, track_total_hits: false, aggs };
  return asked({ ...over, timeField: 'lasted' }, body, 'aggregations.fitting.began.buckets');
}

/** A filter for one kind of document. */
export const kind = (which: 'run' | 'stage' | 'rejection' | 'dataset' | 'anomaly' | 'incident'): JsonObject => ({
  term: { kind: which },
});

/**
 * Transforms that give each row `label`, what people call its run: `broadband 11-24 03:00` (UTC), with ` #2` behind it for the second run of the
 * hour among those that are shown; `end`, its time as a number, and `ended`, the same as a text. They need `pipeline`, `hour` and `at`.
 */
export const labelled: readonly Json[] = [
  { calculate: 'time(datum._source.at)', as: 'end' },
  { calculate: "utcFormat(datum.end, '%Y-%m-%d %H:%M:%S UTC')", as: 'ended' },
  {
    calculate:
      "datum._source.pipeline + ' ' + slice(datum._source.hour, 5, 10) + ' ' + slice(datum._source.hour, 11, 16)",
    as: 'hourly',
  },
  { window: [{ op: 'dense_rank', as: 'nth' }], groupby: ['hourly'], sort: [{ field: 'end' }] },
  { calculate: "datum.nth > 1 ? datum.hourly + ' #' + datum.nth : datum.hourly", as: 'label' },
];

/** The runs down the side, the newest on top, each in two lines: on a narrow screen the hour is there all the same. */
export const runsDown: JsonObject = {
  field: 'label',
  type: 'nominal',
  sort: { field: 'end', op: 'max', order: 'descending' },
  title: null,
  axis: {
    labelExpr: "[slice(datum.label, 0, indexof(datum.label, ' ')), slice(datum.label, indexof(datum.label, ' ') + 1)]",
    labelLimit: 120,
    // Two lines of ten runs, as high as the chart is.
    labelLineHeight: { expr: 'max(7.5, min(12, height / 20.5))' },
    labelFontSize: { expr: 'max(6.5, min(10, height / 24))' },
    ticks: false,
    domain: false,
  },
};

/** When runs were over, from left to right, in UTC as hours are. */
export const timeAcross: JsonObject = {
  field: 'end',
  type: 'temporal',
  title: null,
  scale: { type: 'utc', padding: 12 },
  axis: {
    labelExpr: "[utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%m-%d')]",
    labelOverlap: true,
    tickCount: { expr: 'max(2, width / 110)' },
  },
};

/** A legend above or below the chart. In two columns, as on a narrow screen there is no room for more, and a legend does not break by itself. */
export const legend = (orient: 'top' | 'bottom'): JsonObject => ({ orient, columns: 2 });
