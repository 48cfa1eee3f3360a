import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import kafkajs from 'kafkajs';
import { Client as MinioClient } from 'minio';

// Reads the source, the topic, the objects and the index for itself. It shares no code with what it checks: not a line of src/ is
// imported here, the data contract (headers, keys, members of the records) is written down a second time.

export type Environment = Readonly<Record<string, string | undefined>>;

/** One hop of the way: what it holds of the rows that it should hold. */
export interface Hop {
  readonly name: 'topic' | 'chain' | 'objects' | 'documents';
  readonly rows: number;
  /** Rows that should be here and are not, as `id|kind|amount`. */
  readonly lost: readonly string[];
  /** Rows that are here more than once. */
  readonly doubled: readonly string[];
  /** Rows that nobody put in. */
  readonly strange: readonly string[];
}

export interface Verdict {
  /** Rows that the source holds and that are clean. */
  readonly rows: number;
  /** Different rows lost at one hop at least. */
  readonly lost: number;
  readonly doubled: number;
  /** Records in the topic that were sent again, and dropped by their sequence number: allowed. */
  readonly resent: number;
  readonly hops: readonly Hop[];
  /** Everything else that is wrong: gaps in a chain, a hash that is not the object's, an hour without a record. */
  readonly problems: readonly string[];
}

/** What is to be checked: an hour of a pipeline with the columns `id`, `kind` and `amount`, its key `id`. */
export interface Checked {
  readonly stream: string;
  readonly topic: string;
  readonly index: string;
  /** `2026-11-24T03:00:00Z` */
  readonly hour: string;
  /** What the source served. */
  readonly csv: string;
}

interface DataObject {
  readonly key: string;
  readonly sha256: string;
  readonly rows: number;
  readonly batch?: string;
}

interface Manifest {
  readonly partition: number;
  readonly first: string;
  readonly last: string;
  readonly previous: string | null;
  readonly objects: readonly DataObject[];
}

const rowText = (id: unknown, kind: unknown, amount: unknown): string =>
  `${String(id)}|${String(kind)}|${Number(amount)}`;

/** Checks an hour by the identity of its rows, hop by hop. Whatever cannot be read counts as lost. */
export async function check(environment: Environment, checked: Checked): Promise<Verdict> {
  const wanted = cleanRows(checked.csv);
  const store = new Bucket(environment);
  const problems: string[] = [];
  const hours = await store.keys(`landing/${checked.stream}/_hours/${checked.hour.slice(0, 13)}/`);
  const hour = hours.at(-1) === undefined ? undefined : await store.json<{ batch: string }>(hours.at(-1) ?? '');
  const batch = hour?.batch ?? (await onlyBatch(store, checked));
  if (!hour) problems.push('the hour has no record');
  const records = await store.keys(`landing/${checked.stream}/_batches/${batch}.`);
  const record = records.at(-1) === undefined ? undefined : await store.json<BatchRecord>(records.at(-1) ?? '');
  if (!record) problems.push(`batch ${batch} has no record`);
  const topic = await readTopic(environment, checked.topic, batch);
  const chain = await readChain(store, checked.stream, batch, problems);
  if (record) membersOf(chain.objects, record.objects, problems);
  const hops = [
    hopOf('topic', wanted, topic.rows),
    hopOf('chain', wanted, await rowsOf(store, chain.objects, problems)),
    hopOf('objects', wanted, record && hour ? await rowsOf(store, record.objects, problems) : []),
    hopOf('documents', wanted, await readIndex(environment, checked)),
  ];
  problems.push(...hops.flatMap(({ name, strange }) => (strange.length > 0 ? [`${name}: strange ${strange[0]}`] : [])));
  return {
    rows: wanted.length,
    lost: new Set(hops.flatMap((hop) => hop.lost)).size,
    doubled: new Set(hops.flatMap((hop) => hop.doubled)).size,
    resent: topic.resent,
    hops,
    problems,
  };
}

interface BatchRecord {
  readonly objects: readonly DataObject[];
}

/** The first row of each id whose amount is a number, as the definition of the tests has it. */
function cleanRows(csv: string): string[] {
  const rows = parse(csv, { columns: true }) as { id: string; kind: string; amount: string }[];
  const seen = new Set<string>();
  return rows.flatMap(({ id, kind, amount }) => {
    if (!/^-?\d+(\.\d+)?$/.test(amount) || seen.has(id)) return [];
    seen.add(id);
    return [rowText(id, kind, amount)];
  });
}

function hopOf(name: Hop['name'], wanted: readonly string[], found: readonly string[]): Hop {
  const counts = new Map<string, number>();
  for (const row of found) counts.set(row, (counts.get(row) ?? 0) + 1);
  const known = new Set(wanted);
  return {
    name,
    rows: found.length,
    lost: wanted.filter((row) => !counts.has(row)),
    doubled: [...counts].filter(([, count]) => count > 1).map(([row]) => row),
    strange: [...counts.keys()].filter((row) => !known.has(row)),
  };
}

/** Before an hour has a record: the batch that was cleaned for it. */
async function onlyBatch(store: Bucket, { stream, hour }: Checked): Promise<string> {
  const keys = await store.keys(`runs/${stream}/${hour.slice(0, 13)}/batches/`);
  return keys.at(-1)?.split('/')[4] ?? 'none';
}

/** Rows of a batch in the topic, each (partition, sequence) once. The same row under the same number again is a re-send. */
async function readTopic(
  environment: Environment,
  topic: string,
  batch: string,
): Promise<{ rows: string[]; resent: number }> {
  const kafka = new kafkajs.Kafka({
    brokers: (environment['SLUICE_KAFKA_BROKERS'] ?? '').split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map<number, bigint>();
  try {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (BigInt(low) < BigInt(high)) ends.set(partition, BigInt(high));
  } catch {
    // A topic that was never made holds nothing.
  }
  await admin.disconnect();
  const bySequence = new Map<string, string>();
  const rows: string[] = [];
  let resent = 0;
  if (ends.size === 0) return { rows, resent };
  const groupId = `checker-${topic}-${Date.now()}-${Math.random()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch: fetched }) => {
          for (const message of fetched.messages) {
            if (ends.get(fetched.partition) === BigInt(message.offset) + 1n) ends.delete(fetched.partition);
            const header = (name: string): string => message.headers?.[name]?.toString() ?? '';
            if (header('batch') !== batch || header('end') !== '') continue;
            const value = JSON.parse(message.value?.toString() ?? '{}') as Record<string, unknown>;
            const row = rowText(value['id'], value['kind'], value['amount']);
            const place = `${fetched.partition}/${header('epoch')}/${header('seq')}`;
            if (bySequence.get(place) === row) resent += 1;
            else rows.push(row);
            bySequence.set(place, row);
          }
          if (ends.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return { rows, resent };
}

/** The data objects that the manifests of every partition name for a batch; gaps and overlaps become problems. */
async function readChain(
  store: Bucket,
  stream: string,
  batch: string,
  problems: string[],
): Promise<{ objects: DataObject[] }> {
  const objects: DataObject[] = [];
  const next = new Map<string, { at: bigint; previous: string | null }>();
  for (const key of await store.keys(`landing/${stream}/_manifests/`)) {
    const manifest = await store.json<Manifest>(key);
    const chain = key.slice(0, key.lastIndexOf('/'));
    const expected = next.get(chain) ?? { at: 0n, previous: null };
    if (BigInt(manifest.first) !== expected.at || manifest.previous !== expected.previous)
      problems.push(`${key} begins at ${manifest.first} after ${manifest.previous}, and not at ${expected.at}`);
    next.set(chain, { at: BigInt(manifest.last) + 1n, previous: manifest.first });
    objects.push(...manifest.objects.filter((object) => object.batch === batch));
  }
  return { objects };
}

/** The objects of a batch record are those of the chain, each once. */
function membersOf(chain: readonly DataObject[], record: readonly DataObject[], problems: string[]): void {
  const inChain = new Set(chain.map(({ key }) => key));
  const inRecord = new Set(record.map(({ key }) => key));
  if (inRecord.size !== record.length) problems.push('the batch record names an object twice');
  for (const key of inRecord) if (!inChain.has(key)) problems.push(`${key} is in no manifest`);
  for (const key of inChain) if (!inRecord.has(key)) problems.push(`${key} is not in the batch record`);
}

/** Rows of data objects, read with DuckDB; what is gone or was changed is a problem, and its rows are not here. */
async function rowsOf(store: Bucket, objects: readonly DataObject[], problems: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-checker-'));
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const paths: string[] = [];
    for (const [at, { key, sha256 }] of objects.entries()) {
      const bytes = await store.bytes(key);
      if (!bytes || createHash('sha256').update(bytes).digest('hex') !== sha256) {
        problems.push(`${key} ${bytes ? 'has another sha256 than its record says' : 'is gone'}`);
        if (!bytes) continue;
      }
      const path = join(folder, `${at}.parquet`);
      await writeFile(path, bytes);
      paths.push(`'${path}'`);
    }
    if (paths.length === 0) return [];
    const connection = await instance.connect();
    const sql = `SELECT _record, id, kind, CAST(amount AS DOUBLE) AS amount FROM read_parquet([${paths.join(', ')}])`;
    const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
    const total = objects.reduce((sum, object) => sum + object.rows, 0);
    if (paths.length === objects.length && rows.length !== total)
      problems.push(`objects hold ${rows.length} rows, their records say ${total}`);
    for (const { _record, id } of rows)
      if (_record !== JSON.stringify([id])) problems.push(`row ${String(id)} is recorded as ${String(_record)}`);
    return rows.map(({ id, kind, amount }) => rowText(id, kind, amount));
  } finally {
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every document of the hour, whatever its generation: older ones should be gone. */
async function readIndex(environment: Environment, { index, hour }: Checked): Promise<string[]> {
  const url = environment['SLUICE_ELASTICSEARCH_URL'] ?? '';
  const ask = async (path: string, body?: object): Promise<Record<string, unknown> | undefined> => {
    const answer = await fetch(`${url}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  if (!(await ask(`${index}/_refresh`))) return [];
  const rows: string[] = [];
  const query = { term: { hour } };
  let page = await ask(`${index}/_search?scroll=1m`, { size: 5_000, query, sort: ['_doc'] });
  for (;;) {
    const { hits } = (page?.['hits'] ?? { hits: [] }) as { hits: { _source: Record<string, unknown> }[] };
    if (hits.length === 0) return rows;
    rows.push(...hits.map(({ _source: { id, kind, amount } }) => rowText(id, kind, amount)));
    page = await ask('_search/scroll', { scroll: '1m', scroll_id: page?.['_scroll_id'] });
  }
}

/** The bucket, over the client of the library. */
class Bucket {
  readonly #client: MinioClient;
  readonly #name: string;

  constructor(environment: Environment) {
    const url = new URL(environment['SLUICE_S3_ENDPOINT'] ?? '');
    this.#client = new MinioClient({
      endPoint: url.hostname,
      port: Number(url.port),
      useSSL: false,
      accessKey: environment['SLUICE_S3_ACCESS_KEY'] ?? '',
      secretKey: environment['SLUICE_S3_SECRET_KEY'] ?? '',
    });
    this.#name = environment['SLUICE_S3_BUCKET'] ?? 'sluice';
  }

  async keys(prefix: string): Promise<string[]> {
    const found = (await this.#client.listObjectsV2(this.#name, prefix, true).toArray()) as { name: string }[];
    return found.map(({ name }) => name).sort();
  }

  async bytes(key: string): Promise<Buffer | undefined> {
    try {
      return Buffer.concat((await (await this.#client.getObject(this.#name, key)).toArray()) as Buffer[]);
    } catch (error) {
      if ((error as { code?: string }).code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async json<T>(key: string): Promise<T> {
    return JSON.parse((await this.bytes(key))?.toString() ?? 'null') as T;
  }
}
