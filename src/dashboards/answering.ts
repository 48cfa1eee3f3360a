import type { estypes } from '@elastic/elasticsearch';
import type { SearchConnector } from '../connectors/search.ts';
import { queryOf, requestsOf, withAnswers, type PanelContext } from './requests.ts';
import type { ChartPanel, Json, JsonObject, MetricPanel } from './panel.ts';

/** A panel’s search may take so long on the server. */
const SEARCH_MS = 20_000;

/**
 * A chart’s spec with Elasticsearch’s answers in it. An index that is not there yet answers with nothing.
 * @throws SluiceError `ElasticsearchUnavailable`
 */
export async function answerChart(
  search: SearchConnector,
  panel: ChartPanel,
  context: PanelContext,
): Promise<JsonObject> {
  const requests = requestsOf(panel.spec, context);
  const answers = await Promise.all(requests.map(({ index, body }) => ask(search, panel.id, index, body)));
  return withAnswers(panel.spec, requests, answers as unknown as Json[]);
}

/** The number of a metric, and over how many documents; null where there is none. Dates are milliseconds. */
export async function answerMetric(
  search: SearchConnector,
  { id, index, timeField, metric, where }: MetricPanel,
  context: PanelContext,
): Promise<{ readonly value: number | null; readonly documents: number }> {
  const filters = where === undefined ? context.filters : { ...context.filters, [where.field]: [where.is] };
  const kind =
    metric.operation === 'average' ? 'avg' : metric.operation === 'unique_count' ? 'cardinality' : metric.operation;
  const aggs = metric.operation === 'count' ? {} : { aggs: { value: { [kind]: { field: metric.field } } } };
  const body = { size: 0, track_total_hits: true, query: queryOf(timeField, { ...context, filters }), ...aggs };
  const { hits, aggregations } = await ask(search, id, index, body as JsonObject);
  const documents = typeof hits.total === 'object' ? hits.total.value : (hits.total ?? 0);
  const { value = null } = (aggregations?.['value'] ?? {}) as { value?: number | null };
  return { value: metric.operation === 'count' ? documents : documents === 0 ? null : value, documents };
}

function ask(search: SearchConnector, id: string, index: string, body: JsonObject): Promise<estypes.SearchResponse> {
  return search.request(`panel ${id}`, (client) =>
    client.search(
      { index, ignore_unavailable: true, ...(body as estypes.SearchRequest) },
      { requestTimeout: SEARCH_MS, maxRetries: 0 },
    ),
  );
}

/** So many values a filter offers. */
const MOST_VALUES = 500;

/** The values that occur in a field, sorted. @throws SluiceError `ElasticsearchUnavailable` */
export async function valuesOf(search: SearchConnector, index: string, field: string): Promise<string[]> {
  const aggs = { values: { terms: { field, size: MOST_VALUES, order: { _key: 'asc' } } } };
  const body = { size: 0, track_total_hits: false, aggs };
  const { aggregations } = await ask(search, field, index, body as JsonObject);
  const { buckets = [] } = (aggregations?.['values'] ?? {}) as { buckets?: { key: unknown; key_as_string?: string }[] };
  return buckets.map(({ key, key_as_string: text }) => text ?? String(key));
}
