import type { estypes } from '@elastic/elasticsearch';
import { rootReasonOf, type SearchConnector } from '../connectors/search.ts';
import { SluiceError } from '../definition/errors.ts';
import { queryOf, requestsOf, withAnswers, type PanelContext } from './requests.ts';
import type { ChartPanel, Json, JsonObject, MetricPanel } from './panel.ts';

/** A panel’s search may take so long on the server. */
const SEARCH_MS = 20_000;

/**
 * A chart’s spec with Elasticsearch’s answers in it. An index that is not there yet answers with nothing.
 * @throws SluiceError `ElasticsearchUnavailable`, `DashboardInvalid`
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

/** @throws SluiceError `DashboardInvalid` where Elasticsearch takes the question itself for wrong */
async function ask(
  search: SearchConnector,
  id: string,
  index: string,
  body: JsonObject,
): Promise<estypes.SearchResponse> {
  // A part of the shards would give a number that looks like all of them.
  const whole = { ignore_unavailable: true, allow_partial_search_results: false };
  try {
    return await search.request(`panel ${id}`, (client) =>
      client.search(
        { ...(body as estypes.SearchRequest), index, ...whole },
        { requestTimeout: SEARCH_MS, maxRetries: 0 },
      ),
    );
  } catch (error) {
    if (!(error instanceof SluiceError) || error.facts['status'] !== 400) throw error;
    throw new SluiceError(
      'DashboardInvalid',
      `Elasticsearch refuses what ${id} asks (${rootReasonOf(error.cause)}): choose a shorter time, or mend the panel.`,
      { cause: error, facts: error.facts },
    );
  }
}

/** Longer ones, and empty ones, are in no address. */
export const LONGEST_VALUE = 200;
/** So many values a filter offers. */
const MOST_VALUES = 500;

/** What a filter offers. */
export interface FieldValues {
  readonly values: string[];
  /** There are more of them. */
  readonly more?: true;
}

/** The values that occur in a field and can be filtered by, sorted. @throws SluiceError `ElasticsearchUnavailable` */
export async function valuesOf(search: SearchConnector, index: string, field: string): Promise<FieldValues> {
  const aggs = { values: { terms: { field, size: MOST_VALUES + 1, order: { _key: 'asc' } } } };
  const body = { size: 0, track_total_hits: false, aggs };
  const { aggregations } = await ask(search, field, index, body as JsonObject);
  const { buckets = [] } = (aggregations?.['values'] ?? {}) as { buckets?: { key: unknown; key_as_string?: string }[] };
  const all = buckets.slice(0, MOST_VALUES).map(({ key, key_as_string: text }) => text ?? String(key));
  const values = all.filter(({ length }) => length > 0 && length <= LONGEST_VALUE);
  return { values, ...(buckets.length > MOST_VALUES ? { more: true } : {}) };
}
