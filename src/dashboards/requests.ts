import { isObject } from '../definition/is-object.ts';
import { explicitMoment } from '../definition/moment.ts';
import type { Json, JsonObject } from './panel.ts';

/** What a reader looks at: `from` and `to` as src/definition/moment.ts has them (`now-24h`, `2026-11-24`), and filters by field, any of its values. */
export interface PanelContext {
  readonly from: string;
  readonly to: string;
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

/** A search that a spec asks for. */
export interface PanelRequest {
  /** Where in the spec its `data` stands. */
  readonly path: readonly (string | number)[];
  readonly index: string;
  readonly body: JsonObject;
}

/**
 * The searches of a spec in Kibana's dialect, with the reader's context put in as Kibana does it: `%context%` and `%timefield%` become
 * `body.query`, and are no more part of it; `{ "%timefilter%": "min" }` in the body becomes the beginning of the reader's range, `max` its end.
 * Source: vis_types/vega/public/data_model/{vega_parser,es_query_parser}.ts of Kibana 9.
 * @throws RangeError where the spec asks for what Kibana would refuse
 */
export function requestsOf(spec: JsonObject, context: PanelContext): PanelRequest[] {
  const found: PanelRequest[] = [];
  visit(spec, [], (path, data) => found.push({ path, ...requestOf(data, context) }));
  return found;
}

/**
 * The spec with the rows of each answer in the place of its request; where an answer has none there, no rows.
 * @param answers in the order of {@link requestsOf}
 */
export function withAnswers(spec: JsonObject, requests: readonly PanelRequest[], answers: readonly Json[]): JsonObject {
  let filled: Json = spec;
  for (const [at, { path }] of requests.entries()) {
    filled = replaced(filled, path, (data) => {
      const { url: _url, format, ...rest } = data as JsonObject;
      const { property, ...form } = (format ?? {}) as JsonObject;
      const kept = Object.keys(form).length === 0 ? {} : { format: form };
      return { ...rest, ...kept, values: rowsAt(answers[at] ?? [], property) };
    });
  }
  return filled as JsonObject;
}

/** What stands at a path such as `aggregations.states.buckets`. An index that is not there yet has no aggregations. */
function rowsAt(answer: Json, property: Json | undefined): Json {
  if (typeof property !== 'string') return answer;
  let found: Json | undefined = answer;
  for (const part of property.split('.')) found = isObject(found) ? found[part] : undefined;
  return found ?? [];
}

function visit(
  value: Json,
  path: readonly (string | number)[],
  found: (path: readonly (string | number)[], data: JsonObject) => void,
): void {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) visit(item as Json, [...path, at], found);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      // Kibana looks wherever the key is `data`; what stands in `values` and `datasets` is data, and no spec.
      if (key === 'data' && isObject(item) && isObject(item['url'])) found([...path, key], item);
      else if (key !== 'values' && key !== 'datasets') visit(item, [...path, key], found);
    }
  }
}

function requestOf(data: JsonObject, context: PanelContext): { index: string; body: JsonObject } {
  if ('values' in data || 'source' in data) throw new RangeError('data has values beside its url');
  const { index, body, '%context%': asksContext, '%timefield%': timeField, ...more } = data['url'] as JsonObject;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw new RangeError(`data.url has ${unknown}, which is no part of a search`);
  if (typeof index !== 'string' || !isObject(body)) throw new RangeError('data.url needs index and body');
  if (asksContext !== true || typeof timeField !== 'string') {
    throw new RangeError('data.url needs "%context%": true and "%timefield%"');
  }
  if ('query' in body) throw new RangeError('body.query cannot stand beside %context%');
  return { index, body: { ...(timed(body, context) as JsonObject), query: queryOf(timeField, context) } };
}

function timed(value: Json, context: PanelContext): Json {
  if (Array.isArray(value)) return value.map((item: Json) => timed(item, context));
  if (!isObject(value)) return value;
  const { '%timefilter%': bound } = value;
  if (bound === 'min') return explicitMoment(context.from, 'from');
  if (bound === 'max') return explicitMoment(context.to, 'to');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, timed(item, context)]));
}

/** As a query of Elasticsearch: a day that the range ends on belongs to it. */
export function queryOf(timeField: string, { from, to, filters }: PanelContext): JsonObject {
  const bounds = { gte: explicitMoment(from, 'from'), lte: explicitMoment(to, 'to') };
  const range = { range: { [timeField]: { ...bounds, format: 'strict_date_optional_time' } } };
  const terms = Object.entries(filters).map(([field, values]) => ({ terms: { [field]: [...values] } }));
  return { bool: { filter: [range, ...terms] } };
}

function replaced(value: Json, path: readonly (string | number)[], change: (value: Json) => Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((item, at) => (at === first ? replaced(item as Json, rest, change) : (item as Json)));
  }
  const object = value as JsonObject;
  return { ...object, [first]: replaced(object[first] as Json, rest, change) };
}
