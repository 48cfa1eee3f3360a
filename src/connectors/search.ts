import { Client, errors } from '@elastic/elasticsearch';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Settings } from './settings.ts';

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

  /** Runs a request; connection faults, time-outs and overload become `ElasticsearchUnavailable`, which is worth a retry. */
  async request<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await work(this.client);
    } catch (error) {
      if (error instanceof SluiceError || (error instanceof Error && error.name === 'AbortError')) throw error;
      throw new SluiceError(
        'ElasticsearchUnavailable',
        `Elasticsearch at ${this.#host} failed on ${what}: ${reasonOf(error)}.`,
        {
          cause: error,
          ...(error instanceof errors.ResponseError ? { facts: { status: error.statusCode ?? 0 } } : {}),
        },
      );
    }
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

/** The type of a server-side error, such as `resource_already_exists_exception`. */
export function errorTypeOf(error: unknown): string | undefined {
  if (error instanceof SluiceError) return errorTypeOf(error.cause);
  if (!(error instanceof errors.ResponseError)) return undefined;
  return (error.body as { error?: { type?: string } } | undefined)?.error?.type;
}
