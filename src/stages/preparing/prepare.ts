import type { Pipeline } from '../../definition/pipeline.ts';
import type { PreparedStream } from '../../definition/refs.ts';
import { streamsOf, type Stream } from '../../definition/streams.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { noSpark } from '../cleaning/engine-for.ts';
import { schemaVersion } from '../hashing.ts';
import { prepareIndex } from '../indexing/prepare-index.ts';
import type { PrepareInput } from '../io.ts';
import { storeSchema } from '../landing/schema.ts';
import { requireCluster } from './cluster-health.ts';
import { proveCreateOnce } from './create-once-test.ts';
import { prepareTopic } from './topic.ts';

/** Makes sure of everything that the other stages stand on: bucket, Spark, topics with their epochs, schemas, indices. Idempotent. */
export async function prepare(deps: StageDeps, input: PrepareInput, ctx: StageContext): Promise<PreparedStream[]> {
  const madeBucket = await deps.store.ensureBucket();
  await proveCreateOnce(deps);
  if (input.pipeline.engine === 'spark') await requireSpark(deps, ctx);
  ctx.progress({ note: `Kafka at ${deps.kafka.brokers.join(', ')}` });
  const cluster = await requireCluster(deps);
  const prepared: PreparedStream[] = [];
  for (const stream of streamsOf(input.pipeline)) {
    ctx.signal.throwIfAborted();
    ctx.progress({ note: `topic ${stream.topic}, index ${stream.alias}` });
    prepared.push(await prepareStream(deps, stream, input.pipeline, cluster.brokers));
  }
  const [main, ...others] = prepared;
  if (!main) return prepared;
  const changes = madeBucket ? [`created bucket ${deps.store.bucket}`] : [];
  return [
    { ...main, changes: [...changes, ...main.changes], warnings: [...cluster.warnings, ...(main.warnings ?? [])] },
    ...others,
  ];
}

/** Here and not when an hour has been fetched: a cluster that is away is known before. */
async function requireSpark({ spark }: StageDeps, { signal, progress }: StageContext): Promise<void> {
  if (!spark) throw noSpark();
  progress({ note: `Spark at ${spark.where}` });
  await spark.verify(signal);
}

async function prepareStream(
  deps: StageDeps,
  stream: Stream,
  pipeline: Pipeline,
  brokers: readonly number[],
): Promise<PreparedStream> {
  const { life, partitions, changes, warnings } = await prepareTopic(deps, stream, pipeline.publish, brokers);
  const schema = schemaVersion(stream.output, pipeline.land);
  await storeSchema(deps.store, stream.name, schema, stream.output, pipeline.land);
  const index = await prepareIndex(deps, stream, pipeline);
  return {
    dataset: stream.dataset,
    stream: stream.name,
    topic: stream.topic,
    partitions,
    epoch: life.epoch,
    life: life.n,
    index: index.index,
    alias: stream.alias,
    schema,
    changes: [...changes, ...index.changes],
    warnings,
  };
}
