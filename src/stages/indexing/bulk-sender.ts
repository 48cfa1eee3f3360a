import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type estypes } from '@elastic/elasticsearch';
import { moved, waitingOn } from '../../connectors/meter.ts';
import { BLOCKED, errorTypeOf, reasonOf, type SearchConnector } from '../../connectors/search.ts';
import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { StageContext } from '../deps.ts';

const FLUSH_BYTES = 2_000_000;
/** More than two at once gained nothing on a small server, and take its memory. */
const IN_FLIGHT = 2;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** Tries in a row of which the server took nothing; with the waits between them somewhat over a minute. */
const VAIN_TRIES = 10;

/** One line of a bulk request, or two: the action, and the document where it has one. As JSON. */
export interface BulkOperation {
  readonly action: string;
  readonly document?: string;
  /** What a refusal names: the record and the object that it came from. */
  readonly origin?: { readonly record: string; readonly object: string };
}

/** A document that the index will not take however often it is sent. */
export interface Refusal {
  readonly operation: BulkOperation;
  readonly status: number;
  readonly type: string;
  readonly reason: string;
}

export interface BulkOutcome {
  readonly written: number;
  /** Refused for a newer version that stands there. */
  readonly newer: number;
  readonly refused: number;
}

/** One request: how it went, and what became of its documents. */
export interface BulkRequest {
  readonly ms: number;
  readonly bytes: number;
  /** Absent where no answer came, or one to the request as a whole. */
  readonly documents?: BulkOutcome & { readonly again: number };
}

export interface BulkOptions {
  /** Called for each refused document, one at a time; sending waits for it. */
  readonly refused?: (refusal: Refusal) => Promise<void>;
  /** Called after each request with the documents that are done so far. */
  readonly done?: (documents: number) => void;
  /** Called after each request, answered or not. */
  readonly requested?: (request: BulkRequest) => void;
  readonly requestTimeoutMs?: number;
  /** How waiting is done; tests do not wait. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
}

const wait = (ms: number, signal: AbortSignal): Promise<unknown> => sleep(ms, undefined, { signal });

/** The wait before the nth try in a row (from 1): doubled each time, half of it by chance, so that two senders part. */
export function backOffMs(vain: number, random: () => number): number {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (vain - 1));
  return Math.round((most / 2) * (1 + random()));
}

/**
 * Sends operations to one index in bounded bulk requests, two at a time, and accounts for each. Ids and versions must be given, since
 * what was perhaps applied is sent again: after a time-out, a cut connection, an overload. Only what was not taken is sent again.
 *
 * The client's own `helpers.bulk` waits a fixed time, gives up on a request that is refused as a whole, and loses count when it stops.
 * @throws SluiceError `ElasticsearchUnavailable` where nothing was taken for over a minute, where writes are blocked, or the index is gone
 */
export async function sendBulk(
  search: SearchConnector,
  index: string,
  operations: Iterable<BulkOperation> | AsyncIterable<BulkOperation>,
  ctx: StageContext,
  options: BulkOptions = {},
): Promise<BulkOutcome> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const sender = new BulkSender(search, index, { ...ctx, signal }, options);
  const inFlight = new Set<Promise<void>>();
  try {
    for await (const chunk of chunksOf(operations)) {
      while (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
      signal.throwIfAborted();
      const sending = sender.deliver(chunk);
      inFlight.add(sending);
      // Whoever waits for all of them sees its failure; this only takes it off the list.
      void sending.then(
        () => inFlight.delete(sending),
        () => {},
      );
    }
    await Promise.all(inFlight);
    return sender.outcome;
  } catch (error) {
    stop.abort();
    await Promise.allSettled(inFlight);
    ctx.signal.throwIfAborted();
    throw error;
  }
}

async function* chunksOf(
  operations: Iterable<BulkOperation> | AsyncIterable<BulkOperation>,
): AsyncGenerator<BulkOperation[]> {
  let chunk: BulkOperation[] = [];
  let bytes = 0;
  for await (const operation of operations) {
    chunk.push(operation);
    bytes += operation.action.length + Buffer.byteLength(operation.document ?? '') + 2;
    if (bytes < FLUSH_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

class BulkSender {
  readonly #search: SearchConnector;
  readonly #index: string;
  readonly #ctx: StageContext;
  readonly #options: BulkOptions;
  #written = 0;
  #newer = 0;
  #refused = 0;
  /** Both requests wait for a server that one of them found overloaded. */
  #pause: Promise<unknown> = Promise.resolve();

  constructor(search: SearchConnector, index: string, ctx: StageContext, options: BulkOptions) {
    this.#search = search;
    this.#index = index;
    this.#ctx = ctx;
    this.#options = options;
  }

  get outcome(): BulkOutcome {
    return { written: this.#written, newer: this.#newer, refused: this.#refused };
  }

  async deliver(chunk: readonly BulkOperation[]): Promise<void> {
    let left = chunk;
    for (let vain = 0; left.length > 0;) {
      await waitingOn('search', () => this.#pause);
      const { again, why } = await this.#try(left);
      vain = again.length < left.length ? 1 : vain + 1;
      left = again;
      if (left.length === 0) return;
      if (vain >= VAIN_TRIES) {
        throw new SluiceError(
          'ElasticsearchUnavailable',
          `Elasticsearch took none of ${left.length} documents for ${this.#index} in ${vain} tries; at last: ${why}.`,
        );
      }
      const ms = backOffMs(vain, this.#options.random ?? Math.random);
      this.#ctx.progress({
        rows: this.#written,
        note: `${this.#index} did not take ${countText(left.length)} documents (${why}); waits ${(ms / 1000).toFixed(1)} s`,
      });
      this.#pause = (this.#options.wait ?? wait)(ms, this.#ctx.signal);
    }
  }

  /** @returns the operations to send again, and why */
  async #try(left: readonly BulkOperation[]): Promise<{ again: readonly BulkOperation[]; why: string }> {
    const lines = left.flatMap(({ action, document }) => (document === undefined ? [action] : [action, document]));
    const bytes = bytesOf(lines);
    const startedAt = performance.now();
    let answer: estypes.BulkResponse;
    try {
      moved('search', bytes);
      answer = await this.#search.bulk(this.#index, { items: left.length, bytes }, (client) =>
        client.bulk(
          // The client sends text as it is.
          { index: this.#index, operations: lines as unknown as estypes.BulkOperationContainer[] },
          { signal: this.#ctx.signal, maxRetries: 0, requestTimeout: this.#options.requestTimeoutMs ?? 60_000 },
        ),
      );
    } catch (error) {
      this.#ctx.signal.throwIfAborted();
      this.#options.requested?.({ ms: performance.now() - startedAt, bytes });
      return this.#failed(left, error);
    }
    const ms = performance.now() - startedAt;
    const before = this.outcome;
    const again: BulkOperation[] = [];
    let why = '';
    for (const [at, operation] of left.entries()) {
      const item = Object.values(answer.items[at] ?? {})[0];
      // An answer that does not speak of a document says nothing of it.
      const status = item?.status ?? 503;
      const type = item?.error?.type ?? '';
      const reason = item?.error?.reason ?? '';
      if (item && item.error === undefined) this.#written += 1;
      else if (type === BLOCKED) throw this.#search.blocked(`bulk into ${this.#index}`, reason);
      else if (type === 'index_not_found_exception') throw gone(this.#index);
      else if (status === 409) this.#newer += 1;
      else if (status === 429 || status >= 500) {
        again.push(operation);
        why ||= `${status} ${type} ${reason}`.trim().replace(/\.$/, '');
      } else await this.#refuse({ operation, status, type, reason });
    }
    this.#options.done?.(this.#written + this.#newer + this.#refused);
    const documents = {
      written: this.#written - before.written,
      newer: this.#newer - before.newer,
      refused: this.#refused - before.refused,
      again: again.length,
    };
    this.#options.requested?.({ ms, bytes, documents });
    return { again, why };
  }

  async #failed(
    left: readonly BulkOperation[],
    error: unknown,
  ): Promise<{ again: readonly BulkOperation[]; why: string }> {
    const status = error instanceof errors.ResponseError ? (error.statusCode ?? 0) : undefined;
    const failure = this.#search.failure(`bulk into ${this.#index}`, error);
    const [first] = left;
    if (status === 413 && first) {
      // Somebody between us and the server takes less than we send.
      const half = Math.ceil(left.length / 2);
      if (left.length > 1) {
        await this.deliver(left.slice(0, half));
        await this.deliver(left.slice(half));
      } else await this.#refuse({ operation: first, status, type: 'content_too_long', reason: reasonOf(error) });
      return { again: [], why: '' };
    }
    // No answer at all, or one that says that there will be another.
    const worthIt = status === undefined || status === 408 || status === 429 || status >= 500;
    if (!worthIt || errorTypeOf(error) === BLOCKED) throw failure;
    return { again: left, why: reasonOf(error) };
  }

  async #refuse(refusal: Refusal): Promise<void> {
    this.#refused += 1;
    await this.#options.refused?.(refusal);
  }
}

const bytesOf = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

function gone(index: string): SluiceError {
  return new SluiceError(
    'ElasticsearchUnavailable',
    `Index ${index} is gone: another took its place, or somebody deleted it. Looking for the one behind the alias again.`,
  );
}
