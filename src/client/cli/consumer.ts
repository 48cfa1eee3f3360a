import { setTimeout as wait } from 'node:timers/promises';
import { KafkaConnector } from '../../connectors/kafka.ts';
import { kafkaLog } from '../../connectors/kafka-log.ts';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { mainDataset } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { streamOf, streamsOf, type Stream } from '../../definition/streams.ts';
import { consumerLag, type PartitionLag } from '../../inspecting/consumer-lag.ts';
import type { ConsumerControl, ConsumerView } from '../consumer-control.ts';
import { withClient } from './with-client.ts';
import { pipelineOf } from './pipelines.ts';
import { boldOut, count } from './screen.ts';

export interface ConsumerFlags {
  readonly dataset?: string;
  readonly json?: boolean;
}

export interface LossFlags extends ConsumerFlags {
  readonly partition: number;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

const LAG_PATIENCE_MS = 8_000;
function chosen(pipeline: Pipeline, dataset: string | undefined): readonly Stream[] {
  return dataset === undefined ? streamsOf(pipeline) : [streamOf(pipeline, dataset)];
}

/** `sluice consumer status`: what Temporal knows of each consumer, and how far each partition has landed. */
export async function status(file: string, { dataset, json }: ConsumerFlags): Promise<number> {
  const streams = chosen(await pipelineOf(file), dataset);
  const shown = await withControl(async (control) =>
    Promise.all(
      streams.map(async ({ name, topic }) => ({
        stream: name,
        topic,
        consumers: await control.list(name),
        partitions: await lagOf(name, topic),
      })),
    ),
  );
  if (json) process.stdout.write(`${JSON.stringify({ streams: shown })}\n`);
  else for (const stream of shown) print(stream);
  return shown.some(({ consumers }) => consumers.some(({ state }) => state?.mode === 'halted')) ? 1 : 0;
}

/** `sluice consumer pause`, `resume` and `drain`. */
export async function tell(
  word: 'pause' | 'resume' | 'drain',
  file: string,
  { dataset, json }: ConsumerFlags,
): Promise<number> {
  const streams = chosen(await pipelineOf(file), dataset);
  const told = await withControl(async (control) =>
    Promise.all(streams.map(async ({ name }) => ({ stream: name, states: await control[word](name) }))),
  );
  if (json) process.stdout.write(`${JSON.stringify({ streams: told })}\n`);
  else
    for (const { stream, states } of told)
      for (const { mode, shard = 0 } of states) process.stdout.write(`${boldOut(stream)} shard ${shard}: ${mode}\n`);
  return 0;
}

/** `sluice consumer accept-loss`. @throws SluiceError `LossRefused` */
export async function acceptLoss(file: string, flags: LossFlags): Promise<number> {
  const { name: stream } = streamOf(await pipelineOf(file), flags.dataset ?? mainDataset);
  const { partition, from, to, reason } = flags;
  const answer = await withControl((control) => control.acceptLoss(stream, { partition, from, to, reason }));
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(answer)}\n`
      : `${boldOut(stream)}: offsets ${from} to ${to} of partition ${partition} are given up; the consumer is ${answer.mode}.\n` +
          'Hours that lost rows there end as RowsUnaccounted: run them again, and they are published anew.\n',
  );
  return 0;
}

const withControl = <T>(work: (control: ConsumerControl) => Promise<T>): Promise<T> =>
  withClient(({ consumers }) => work(consumers));

/** Asked of the store and the broker; where they do not answer, the sentence why. */
async function lagOf(stream: string, topic: string): Promise<PartitionLag[] | string> {
  const settings = readSettings(process.env);
  const deps = { store: new ObjectStore(settings.store), log: kafkaLog(new KafkaConnector(settings.kafka)) };
  const over = new AbortController();
  try {
    return await Promise.race([
      consumerLag(deps, stream, topic),
      wait(LAG_PATIENCE_MS, 'Kafka or the object store do not answer.', { signal: over.signal }),
    ]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    over.abort();
  }
}

function print(shown: {
  stream: string;
  topic: string;
  consumers: readonly ConsumerView[];
  partitions: readonly PartitionLag[] | string;
}): void {
  const lines = [`${boldOut(shown.stream)}  topic ${shown.topic}`];
  if (shown.consumers.length === 0) lines.push('  no consumer runs: the next run of an hour starts one');
  for (const { shard, state, note, failing } of shown.consumers) {
    if (!state) {
      lines.push(`  shard ${shard}: no worker answers for it`);
      continue;
    }
    const of = (state.shards ?? 1) > 1 ? `shard ${shard} of ${state.shards}: ` : '';
    lines.push(`  ${of}${state.mode}${note === undefined ? '' : `, ${note}`}`);
    if (state.problem) lines.push(`    ${state.problem.code}: ${state.problem.message}`);
    if (failing !== undefined) lines.push(`    tried again after: ${failing}`);
  }
  if (typeof shown.partitions === 'string') lines.push(`  ${shown.partitions}`);
  else
    for (const { partition, position, high, lag, loss } of shown.partitions) {
      lines.push(`  partition ${partition}: landed up to ${position} of ${high}, lag ${count(lag)}`);
      if (loss) lines.push(`    offsets ${loss.first} to ${loss.last} were given up: ${loss.reason}`);
    }
  process.stdout.write(`${lines.join('\n')}\n`);
}
