import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type kafkajs from 'kafkajs';
import { compressionOf } from '../../src/connectors/kafka.ts';
import type { LogRecord } from '../../src/connectors/log.ts';
import type { OutputColumn } from '../../src/definition/columns.ts';
import type { BatchRecord } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { decodeParquet, encodeParquet, type Row } from '../../src/formats/parquet.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import { RECORD_COLUMN } from '../../src/stages/landing/schema.ts';
import { firstMessages } from './messages.ts';
import { contestant, type Job } from './job.ts';

// What anybody would write: the same clients, the same files and topics, and nothing that proves, resumes or names anything.

/** kafkajs as it comes: what our connector has put into it is taken out again. */
function plainKafka(deps: StageDeps): kafkajs.Kafka {
  const require = createRequire(import.meta.url);
  for (const path of Object.keys(require.cache)) {
    if (path.includes(join('node_modules', 'kafkajs'))) delete require.cache[path];
  }
  const { Kafka, logLevel } = require('kafkajs') as typeof kafkajs;
  return new Kafka({ brokers: [...deps.kafka.brokers], logLevel: logLevel.NOTHING });
}

type Send = (partition: number, messages: readonly LogRecord[]) => Promise<void>;

/** An idempotent producer with one send in flight, compressing as ours does. */
async function producing(deps: StageDeps, { pipeline, prepared }: Job, work: (send: Send) => Promise<number>) {
  const producer = plainKafka(deps).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const compression = compressionOf(pipeline.publish.compression);
  const rows = await work(async (partition, messages) => {
    await producer.send({
      topic: prepared.topic,
      acks: -1,
      compression,
      messages: messages.map((message) => ({ ...message, headers: { ...message.headers }, partition })),
    });
  });
  await producer.disconnect();
  return rows;
}

/** The cells of a line. */
const cellsOf = (line: string): string[] =>
  line.includes('"')
    ? [...line.matchAll(/"([^"]*)"|([^,]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
    : line.split(',');

/** clean.csv as JSON values: no key, no header, no generated field; each send to the next partition. */
const publishCsv = (deps: StageDeps, job: Job): Promise<number> =>
  producing(deps, job, async (send) => {
    const columns = streamOf(job.pipeline, 'main').clean;
    const { batchRows } = job.pipeline.publish;
    let rows = -1;
    let sends = 0;
    let messages: LogRecord[] = [];
    const flush = async (): Promise<void> => {
      await send(sends++ % job.prepared.partitions, messages);
      messages = [];
    };
    for await (const line of createInterface({ input: createReadStream(job.csv) })) {
      if (++rows === 0) continue;
      const cells = cellsOf(line);
      const value: Record<string, string | number> = {};
      for (const [at, { name, type }] of columns.entries()) {
        const cell = cells[at] ?? '';
        value[name] = type === 'decimal' ? Number(cell) : cell;
      }
      messages.push({ key: null, value: JSON.stringify(value), headers: {} });
      if (messages.length === batchRows) await flush();
    }
    if (messages.length > 0) await flush();
    return rows;
  });

/** The messages that ours sends, made before the clock begins: the first of each partition, over and over. */
async function publishMessages(given: Job) {
  const sends = await firstMessages(given);
  const wanted = given.batch.rows.clean;
  return (deps: StageDeps, job: Job): Promise<number> =>
    producing(deps, job, async (send) => {
      let rows = 0;
      for (let at = 0; rows < wanted; at++) {
        const messages = (sends[at % sends.length] ?? []).slice(0, wanted - rows);
        await send(at % sends.length, messages);
        rows += messages.length;
      }
      return rows;
    });
}

/** Messages to one Parquet file for every `maxRecords` of a partition. */
async function land(deps: StageDeps, { pipeline, prepared, landAs }: Job): Promise<number> {
  const columns: OutputColumn[] = [{ name: RECORD_COLUMN, type: 'string' }, ...streamOf(pipeline, 'main').output];
  const watermarks = await deps.kafka.watermarks(prepared.topic);
  const open = new Map([...watermarks].map(([partition, { high }]) => [partition, high]));
  const rows = new Map<number, Row[]>();
  let landed = 0;
  const flush = async (partition: number, offset: string): Promise<void> => {
    const taken = rows.get(partition) ?? [];
    rows.set(partition, []);
    if (taken.length > 0)
      await deps.store.put(`bare/${landAs}/${partition}-${offset}`, await encodeParquet(columns, taken));
    landed += taken.length;
  };
  const consumer = plainKafka(deps).consumer({ groupId: `bare-${landAs}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [prepared.topic], fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    eachBatch: async ({ batch: { partition, messages } }) => {
      try {
        for (const { key, value, offset } of messages) {
          // An end marker has no key.
          if (key !== null && value !== null) {
            const row = JSON.parse(value.toString()) as Row;
            const taken = rows.get(partition) ?? [];
            taken.push({ [RECORD_COLUMN]: key.toString(), ...row });
            rows.set(partition, taken);
            if (taken.length === pipeline.land.maxRecords) await flush(partition, offset);
          }
          if (BigInt(offset) + 1n < (open.get(partition) ?? 0n)) continue;
          await flush(partition, offset);
          open.delete(partition);
          if (open.size === 0) done.resolve();
        }
      } catch (error) {
        done.reject(error);
      }
    },
  });
  await done.promise;
  await consumer.disconnect();
  return landed;
}

/** The same objects through `helpers.bulk`: no ids, no versions, no sums. */
async function index(deps: StageDeps, { pipeline, prepared, landed }: Job): Promise<number> {
  if (!landed) throw new Error('nothing has landed');
  const { output } = streamOf(pipeline, 'main');
  const record = JSON.parse((await deps.store.fetch(landed.record)).toString()) as BatchRecord;
  async function* documents(): AsyncGenerator<Record<string, unknown>> {
    for (const { key } of record.objects) {
      for (const rows of decodeParquet(output, await deps.store.get(key))) yield* rows;
    }
  }
  const { successful } = await deps.search.client.helpers.bulk({
    datasource: documents(),
    flushBytes: 2_000_000,
    concurrency: 2,
    onDocument: () => ({ index: { _index: prepared.index } }),
  });
  return successful;
}

await contestant({ publishCsv, publishMessages: { before: publishMessages }, land, index });
