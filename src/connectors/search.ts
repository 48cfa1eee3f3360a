import { Client, errors, type estypes } from '@elastic/elasticsearch';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { waitingOn } from './meter.ts';
import type { Settings } from './settings.ts';
import { tracedRequest } from './tracing.ts';

/** The error type of an index that may not be written to; its status is 403 or 429. */
export const BLOCKED = 'cluster_block_exception';

/** Elasticsearch. The client is handed out to the indexing stage; failures come back in our own words. */
export class SearchConnector {
  readonly client: Client;
  readonly #host: string;

  constructor(settings: Settings['elasticsearch']) {
    const { apiKey } = settings;
    this.#host = new URL(settings.url).host;
    this.client = new Client({
      node: settings.url,
      maxRetries: 3,
      requestTimeout: 60_000,
      ...(apiKey === undefined ? {} : { auth: { apiKey } }),
    });
  }

  /** Runs a request; its failure is told as {@link failure} says. */
  request<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    const about = { 'db.system.name': 'elasticsearch', 'db.query.summary': what, 'server.address': this.#host };
    return tracedRequest('search', 'elasticsearch', about, async () => {
      try {
        return await waitingOn('search', () => work(this.client));
      } catch (error) {
        throw this.failure(what, error);
      }
    });
  }

  /**
   * A bulk request, as a span with what became of its documents.
   * @param items how many documents @throws what the client throws
   */
  bulk(
    index: string,
    { items, bytes }: { readonly items: number; readonly bytes: number },
    work: (client: Client) => Promise<estypes.BulkResponse>,
  ): Promise<estypes.BulkResponse> {
    const about = {
      ...{ 'db.system.name': 'elasticsearch', 'db.operation.name': 'bulk', 'db.collection.name': index },
      ...{ 'db.operation.batch.size': items, 'server.address': this.#host, 'sluice.bytes': bytes },
    };
    return tracedRequest('bulk', `bulk ${index}`, about, async (span) => {
      const answer = await waitingOn('search', () => work(this.client));
      const statuses = answer.items.map((item) => Object.values(item)[0]?.status ?? 503);
      const refused = statuses.filter((status) => status >= 300 && status !== 409).length;
      span?.set({ 'sluice.took_ms': answer.took, 'sluice.documents.refused': refused });
      span?.set({ 'sluice.documents.newer': statuses.filter((status) => status === 409).length });
      return answer;
    });
  }

  /**
   * A failed request in our own words: connection faults, time-outs, overload and blocks are `ElasticsearchUnavailable`, which is worth
   * a retry; a key that does not suffice is `SettingsInvalid`.
   */
  failure(what: string, error: unknown): unknown {
    if (error instanceof SluiceError || (error instanceof Error && error.name === 'AbortError')) return error;
    const status = error instanceof errors.ResponseError ? (error.statusCode ?? 0) : undefined;
    const options = { cause: error, ...(status === undefined ? {} : { facts: { status } }) };
    if (errorTypeOf(error) === BLOCKED) return this.blocked(what, reasonOf(error), options);
    if (status === 401 || status === 403) {
      return new SluiceError(
        'SettingsInvalid',
        `Elasticsearch at ${this.#host} refused ${what} (${reasonOf(error)}): check SLUICE_ELASTICSEARCH_API_KEY.`,
        options,
      );
    }
    return new SluiceError(
      'ElasticsearchUnavailable',
      `Elasticsearch at ${this.#host} failed on ${what}: ${reasonOf(error)}.`,
      options,
    );
  }

  /** A block against writes, such as that of a disk which is nearly full: it goes away without us. */
  blocked(
    what: string,
    reason: string,
    options: { cause?: unknown; facts?: Record<string, unknown> } = {},
  ): SluiceError {
    const why = reason.includes('flood-stage')
      ? 'its disk is nearly full. Free space there, or give it a larger disk, and the block goes away by itself'
      : 'somebody set a block against writes. Take it off';
    return new SluiceError(
      'ElasticsearchUnavailable',
      `Elasticsearch at ${this.#host} takes no writes on ${what}: ${why}. It said: ${reason.replace(/[.;]+$/, '')}.`,
      options,
    );
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

/** The server's reason in its own words, or the client's. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.ResponseError) {
    const cause = (error.body as { error?: { reason?: string; type?: string } } | undefined)?.error;
    return `${error.statusCode ?? ''} ${cause?.type ?? ''} ${cause?.reason ?? ''}`.trim().replace(/\.$/, '');
  }
  return sentenceOf(error).replace(/\.$/, '');
}

/** {@link reasonOf} of a search that shards failed: it is theirs, as "all shards failed" says nothing. */
export function rootReasonOf(error: unknown): string {
  if (error instanceof errors.ResponseError) {
    type Cause = { readonly type?: string; readonly reason?: string; readonly caused_by?: Cause };
    const body = error.body as
      { error?: Cause & { root_cause?: readonly Cause[]; failed_shards?: readonly { reason?: Cause }[] } } | undefined;
    const { root_cause: [root] = [], failed_shards: [shard] = [], caused_by: by } = body?.error ?? {};
    const cause = shard?.reason?.caused_by ?? shard?.reason ?? root ?? by;
    if (cause?.reason !== undefined) return cause.reason.replaceAll(/\s+/g, ' ').slice(0, 300).replace(/\.$/, '');
  }
  return reasonOf(error);
}

/** The type of a server-side error, such as `resource_already_exists_exception`. */
export function errorTypeOf(error: unknown): string | undefined {
  if (error instanceof SluiceError) return errorTypeOf(error.cause);
  if (!(error instanceof errors.ResponseError)) return undefined;
  return (error.body as { error?: { type?: string } } | undefined)?.error?.type;
}
