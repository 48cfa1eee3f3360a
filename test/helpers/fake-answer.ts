import type { Json, JsonObject } from '../../src/dashboards/panel.ts';

interface Settings {
  readonly field?: string;
  readonly interval?: number;
  readonly percents?: readonly number[];
}

/** An answer of Elasticsearch’s shape to a body of aggregations: so many buckets, with values of the right types. */
export function fakeAnswer(body: JsonObject, rows: number): JsonObject {
  return { hits: { hits: [] }, aggregations: answers(body['aggs'] as JsonObject, rows) };
}

const answers = (aggs: JsonObject, rows: number): JsonObject =>
  Object.fromEntries(Object.entries(aggs).map(([name, agg]) => [name, answer(agg as JsonObject, rows)]));

function answer({ aggs, ...kinds }: JsonObject, rows: number): JsonObject {
  const [kind = '', settings] = (Object.entries(kinds) as [string, Settings][])[0] ?? [];
  const below = (at: number): JsonObject => (aggs === undefined ? {} : answers(aggs as JsonObject, at));
  const buckets = (key: (at: number) => JsonObject): JsonObject => ({
    buckets: Array.from({ length: rows }, (_, at) => ({ ...key(at), doc_count: at + 1, ...below(at + 1) })),
  });
  switch (kind) {
    case 'terms':
      return buckets((at) => ({ key: keyOf(settings?.field ?? '', at) }));
    case 'date_histogram': {
      const first = Date.UTC(2026, 10, 24);
      return buckets((at) => ({ key: first + at * 3_600_000, key_as_string: new Date(first).toISOString() }));
    }
    case 'histogram':
      return buckets((at) => ({ key: at * (settings?.interval ?? 1) }));
    case 'geotile_grid':
      return buckets((at) => ({ key: `9/${100 + at}/190` }));
    case 'filter':
      return { doc_count: rows, ...answers(aggs as JsonObject, rows) };
    case 'filters':
      return { buckets: [{ doc_count: rows, ...answers(aggs as JsonObject, rows) }] };
    case 'geo_centroid':
      return { location: { lat: 38 + rows, lon: -98 }, count: rows };
    case 'extended_stats':
      return { count: rows, min: 0, max: 1, avg: 0.5, std_deviation: 0.1 };
    case 'percentiles': {
      return { values: settings?.percents?.map((key) => ({ key, value: rows === 0 ? null : key * 2 })) ?? [] };
    }
    case 'avg':
    case 'cardinality':
      return { value: rows / 10 };
    default:
      throw new Error(`no fake answer for ${kind}`);
  }
}

const keyOf = (field: string, at: number): Json =>
  field === 'state'
    ? (['CA', 'TX', 'NY'][at] ?? 'AL')
    : field === 'county_id'
      ? (['06037', '48201', '36061'][at] ?? '01001')
      : field === 'hour'
        ? Date.UTC(2026, 10, 24, at)
        : `v${at}`;
