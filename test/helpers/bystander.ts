import { operationsIndex } from '../../src/definition/names.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import kafkajs from 'kafkajs';
import { Client as MinioClient } from 'minio';
import type { BatchRecord, HourRecord } from '../../src/definition/refs.ts';

// What stands in the servers, asked without any of the code under test: only the names of the data contract are shared.

type Environment = Readonly<Record<string, string | undefined>>;

function minio(environment: Environment): { client: MinioClient; bucket: string } {
  const url = new URL(environment['SLUICE_S3_ENDPOINT'] ?? '');
  const client = new MinioClient({
    endPoint: url.hostname,
    port: Number(url.port),
    useSSL: false,
    accessKey: environment['SLUICE_S3_ACCESS_KEY'] ?? '',
    secretKey: environment['SLUICE_S3_SECRET_KEY'] ?? '',
  });
  return { client, bucket: environment['SLUICE_S3_BUCKET'] ?? 'sluice' };
}

async function bytesOf(environment: Environment, key: string): Promise<Buffer> {
  const { client, bucket } = minio(environment);
  return Buffer.concat((await (await client.getObject(bucket, key)).toArray()) as Buffer[]);
}

/** Every key below a prefix, sorted. */
export async function keysBelow(environment: Environment, prefix: string): Promise<string[]> {
  const { client, bucket } = minio(environment);
  const found = (await client.listObjectsV2(bucket, prefix, true).toArray()) as { name: string }[];
  return found.map(({ name }) => name).sort();
}

/** What readers see of an hour: hour → batch → objects. */
export async function visibleHour(environment: Environment, stream: string, hour: string) {
  const hours = await keysBelow(environment, `landing/${stream}/_hours/${hour.slice(0, 13)}/`);
  const hourRecord = JSON.parse((await bytesOf(environment, hours.at(-1) ?? '')).toString()) as HourRecord;
  const batches = await keysBelow(environment, `landing/${stream}/_batches/${hourRecord.batch ?? ''}.`);
  const batch = JSON.parse((await bytesOf(environment, batches.at(-1) ?? '')).toString()) as BatchRecord;
  return { hourRecord, batch };
}

/** Answers SQL over a table `t` of exactly the Parquet objects that an hour names. */
export async function queryHour(environment: Environment, stream: string, hour: string, sql: string) {
  const { batch } = await visibleHour(environment, stream, hour);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-look-'));
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const paths: string[] = [];
    for (const [at, { key }] of batch.objects.entries()) {
      const path = join(folder, `${at}.parquet`);
      await writeFile(path, await bytesOf(environment, key));
      paths.push(path);
    }
    const connection = await instance.connect();
    const list = paths.map((path) => `'${path}'`).join(', ');
    await connection.run(`CREATE VIEW t AS SELECT * FROM read_parquet([${list}])`);
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, string | number | null>[];
  } finally {
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Asks Elasticsearch over plain HTTP. */
export async function search(environment: Environment, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${environment['SLUICE_ELASTICSEARCH_URL'] ?? ''}/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return (await answer.json()) as Record<string, unknown>;
}

/** What is indexed of runs, by the values of its fields. */
export async function indexedOfRuns(
  environment: Environment,
  terms: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>[]> {
  await search(environment, `${operationsIndex}/_refresh`);
  const filter = Object.entries(terms).map(([field, value]) => ({ term: { [field]: value } }));
  const found = await search(environment, `${operationsIndex}/_search`, { size: 1_000, query: { bool: { filter } } });
  const { hits } = found['hits'] as { hits: { _source: Record<string, unknown> }[] };
  return hits.map(({ _source }) => _source);
}

/** Every record of a topic, read from the beginning with a group of its own. */
export async function readTopic(
  environment: Environment,
  topic: string,
): Promise<{ key: string; value: string | null; headers: Record<string, string> }[]> {
  const kafka = new kafkajs.Kafka({
    brokers: (environment['SLUICE_KAFKA_BROKERS'] ?? '').split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const total = (await admin.fetchTopicOffsets(topic)).reduce(
    (sum, { high, low }) => sum + Number(high) - Number(low),
    0,
  );
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: `look-${topic}-${Date.now()}` });
  const found: { key: string; value: string | null; headers: Record<string, string> }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    if (total === 0) resolve();
    consumer
      .run({
        eachMessage: async ({ message }) => {
          const headers = Object.fromEntries(
            Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
          );
          found.push({ key: message.key?.toString() ?? '', value: message.value?.toString() ?? null, headers });
          if (found.length >= total) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}
