import { setTimeout as wait } from 'node:timers/promises';
import { storeMetrics } from '../../connectors/store-metrics.ts';
import { spanText } from '../../definition/amounts.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { streamsOf } from '../../definition/streams.ts';
import type { WaitedOn } from '../../definition/timing.ts';
import type { StageDeps } from '../deps.ts';
import type { ServerFigures } from './bottleneck.ts';

type Deps = Pick<StageDeps, 'kafka' | 'search' | 'settings'>;

/** Sentences of a server, and counters for the next run to compare with. */
interface Figures {
  readonly sentences: readonly string[];
  readonly counters?: Readonly<Record<string, number>>;
}

/**
 * What the servers say of themselves, by their own interfaces. Who does not answer in time, or lets nobody look, is left out.
 * @param before the counters that the run before left
 */
export async function serverFigures(
  deps: Deps,
  definition: Pipeline,
  before: Readonly<Record<string, number>>,
  patienceMs: number,
): Promise<ServerFigures> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(patienceMs)]);
  const asked: readonly (readonly [WaitedOn, Promise<Figures>])[] = [
    ['broker', ofBroker(deps, definition)],
    ['store', ofStore(deps, before, signal)],
    ['search', ofSearch(deps, before, signal)],
  ];
  try {
    const found = await Promise.all(
      asked.map(async ([server, figures]) => {
        const late = wait(patienceMs, undefined, { signal: over.signal }).catch(() => undefined);
        return [server, await Promise.race([figures.catch(() => undefined), late])] as const;
      }),
    );
    const told = found.flatMap(([server, figures]) => (figures ? [[server, figures] as const] : []));
    return {
      servers: Object.fromEntries(told.map(([server, { sentences }]) => [server, sentences])),
      counters: Object.assign({}, ...told.map(([, { counters }]) => counters ?? {})) as Record<string, number>,
    };
  } finally {
    over.abort();
  }
}

/** What there is without JMX: the brokers that are up, and whether all copies of our topics are. */
async function ofBroker({ kafka }: Deps, definition: Pipeline): Promise<Figures> {
  return kafka.admin('how the brokers are', async (admin) => {
    const topics = streamsOf(definition).map(({ topic }) => topic);
    const [{ brokers }, metadata] = [await admin.describeCluster(), await admin.fetchTopicMetadata({ topics })];
    const partitions = metadata.topics.flatMap((topic) => topic.partitions);
    const behind = partitions.filter(({ replicas, isr }) => isr.length < replicas.length).length;
    const up = `${brokers.length} ${brokers.length === 1 ? 'broker is' : 'brokers are'} up`;
    return { sentences: [`Kafka: ${up}, ${behind} of ${partitions.length} partitions lack a copy`] };
  });
}

async function ofStore(
  { settings }: Deps,
  before: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<Figures> {
  const [cluster, resource] = await Promise.all([
    storeMetrics(settings.store, 'cluster', signal),
    storeMetrics(settings.store, 'resource', signal),
  ]);
  const of = (name: string): number => cluster.get(name) ?? resource.get(name) ?? 0;
  const errors = of('minio_s3_requests_5xx_errors_total');
  const offline = of('minio_cluster_drive_offline_total');
  const awaits = `a write takes ${spanText(of('minio_node_drive_writes_await'))}, a read ${spanText(of('minio_node_drive_reads_await'))}`;
  return {
    sentences: [
      `MinIO: its busiest drive is ${Math.round(of('minio_node_drive_perc_util'))} % busy, ${awaits}; ` +
        `${of('minio_s3_requests_waiting_total')} requests wait`,
      ...(offline > 0 ? [`MinIO: ${offline} of its drives are off`] : []),
      ...(since(before, 'storeErrors', errors) > 0
        ? [`MinIO: ${since(before, 'storeErrors', errors)} requests failed for its own reasons since the run before`]
        : []),
    ],
    counters: { storeErrors: errors },
  };
}

async function ofSearch(
  { search }: Deps,
  before: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<Figures> {
  const { nodes } = await search.client.nodes.stats(
    { metric: ['thread_pool', 'os', 'jvm'] },
    { signal, maxRetries: 0 },
  );
  const all = Object.values(nodes);
  const sum = (of: 'rejected' | 'queue' | 'active'): number =>
    all.reduce((total, { thread_pool: pools }) => total + (pools?.['write']?.[of] ?? 0), 0);
  const most = (of: (node: (typeof all)[number]) => number | undefined): number =>
    Math.max(0, ...all.map((node) => of(node) ?? 0));
  const rejected = sum('rejected');
  const refused = since(before, 'searchRejected', rejected);
  return {
    sentences: [
      `Elasticsearch: ${sum('active')} writes run and ${sum('queue')} wait, processor ${most(({ os }) => os?.cpu?.percent)} %, ` +
        `heap ${most(({ jvm }) => jvm?.mem?.heap_used_percent)} % full`,
      ...(refused > 0 ? [`Elasticsearch: it refused ${refused} writes since the run before, as too many waited`] : []),
    ],
    counters: { searchRejected: rejected },
  };
}

/** How much a counter has gone up; one that is below what it was began anew. Nothing where nobody had looked before. */
function since(before: Readonly<Record<string, number>>, name: string, now: number): number {
  const then = before[name];
  if (then === undefined) return 0;
  return now < then ? now : now - then;
}
