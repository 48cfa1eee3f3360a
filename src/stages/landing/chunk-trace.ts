import type { ReadRecord } from '../../connectors/log.ts';
import { activeTracer, traced } from '../../connectors/tracing.ts';
import { datasetOf } from '../../definition/names.ts';
import { readTraceHeaders, type TraceContext } from '../../definition/tracing.ts';
import type { ConsumeInput } from '../io.ts';
import type { CommittedChunk } from './partition-lander.ts';

/** More sends than this a chunk names none of. */
const MOST_LINKS = 64;

/**
 * Tells of each chunk that a partition's lander commits: within the trace of the sends that its records came in where that is one, and linked to each
 * of them. The consumer itself has no span, as it has no end.
 */
export class ChunkTrace {
  readonly #whose: Pick<ConsumeInput, 'stream' | 'topic'>;
  readonly #partition: number;
  #sends = new Map<string, TraceContext>();

  constructor(whose: Pick<ConsumeInput, 'stream' | 'topic'>, partition: number) {
    this.#whose = whose;
    this.#partition = partition;
  }

  /** A record came into the chunk: the first of each send says which trace it belongs to. Anybody may write such a header. */
  note({ headers }: ReadRecord): void {
    if (headers['traceparent'] === undefined || !activeTracer() || this.#sends.size >= MOST_LINKS) return;
    const context = readTraceHeaders(headers);
    if (context?.sampled) this.#sends.set(context.spanId, context);
  }

  /** Commits what has been noted. */
  committing<T>(commit: (tell: (chunk: CommittedChunk) => void) => Promise<T>): Promise<T> {
    const links = [...this.#sends.values()];
    this.#sends = new Map();
    const one = links.find(() => new Set(links.map(({ traceId }) => traceId)).size === 1);
    const { stream, topic } = this.#whose;
    const { pipeline, dataset } = datasetOf(stream);
    const attributes = {
      ...{ 'sluice.pipeline': pipeline, 'sluice.dataset': dataset, 'sluice.stage': 'land' },
      ...{ 'messaging.system': 'kafka', 'messaging.operation.type': 'process', 'messaging.destination.name': topic },
      'messaging.destination.partition.id': String(this.#partition),
    };
    return traced(`process ${topic}`, { kind: 'consumer', parent: one ?? 'none', links, attributes }, async (span) =>
      commit(({ rows, bytes, resent, foreign, deadLetters, lost }) =>
        span?.set({
          ...{ 'sluice.rows.landed': rows, 'sluice.bytes': bytes, 'sluice.rows.resent': resent },
          ...{ 'sluice.rows.foreign': foreign, 'sluice.rows.dead-letter': deadLetters, 'sluice.rows.lost': lost },
        }),
      ),
    );
  }
}
