import { randomUUID } from 'node:crypto';
import { KafkaConnector } from '../../connectors/kafka.ts';
import { describeCluster } from '../../connectors/kafka-cluster.ts';
import { MailConnector } from '../../connectors/mail.ts';
import { ObjectStore } from '../../connectors/object-store.ts';
import { SearchConnector } from '../../connectors/search.ts';
import { requireSearchAttributes } from '../../connectors/temporal.ts';
import { readSettings, type Settings } from '../../connectors/settings.ts';
import { SparkConnector } from '../../connectors/spark/spark.ts';
import { isServed, NOBODY_WATCHES } from '../../connectors/watch-served.ts';
import { ZooKeeperConnector, zooKeeperSentence } from '../../connectors/zookeeper.ts';
import { channelsOf, type Channel } from '../../definition/deliveries.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { verifyChannel } from '../../inspecting/alert-channels.ts';
import { scheduledNames } from '../schedules/scheduled.ts';
import { withClient } from './with-client.ts';

interface Verdict {
  readonly server: string;
  readonly ok: boolean;
  readonly sentence: string;
}

/** `sluice check`: each server is really used, and left as it was. @returns 1 where one of them is not usable */
export async function check(options: { json?: boolean }): Promise<number> {
  const settings = readSettings(process.env);
  const name = `sluice-check-${randomUUID()}`;
  const said = await Promise.all([
    tried('Temporal', 'set TEMPORAL_ADDRESS', checkTemporal),
    unwatched(),
    tried('Kafka', 'set SLUICE_KAFKA_BROKERS', () => checkKafka(new KafkaConnector(settings.kafka), name)),
    ...(settings.zookeeper ? [tried('ZooKeeper', 'set SLUICE_ZOOKEEPER', () => checkZooKeeper(settings))] : []),
    tried('Object store', 'set SLUICE_S3_ENDPOINT, SLUICE_S3_ACCESS_KEY and SLUICE_S3_SECRET_KEY', () =>
      checkStore(new ObjectStore(settings.store), name),
    ),
    tried('Elasticsearch', 'set SLUICE_ELASTICSEARCH_URL', () =>
      checkSearch(new SearchConnector(settings.elasticsearch), name),
    ),
    ...(settings.spark
      ? [tried('Spark', 'set SLUICE_SPARK_URL and SLUICE_SPARK_TOKEN', () => checkSpark(settings, name))]
      : []),
    tried('Mail', 'set SLUICE_SMTP_URL', async () => {
      await new MailConnector(settings.mail).verify();
      return 'connected; nothing was sent';
    }),
    ...(await webhooks()).map(({ pipeline, channel }) =>
      tried(`${pipeline} ${channel.name}`, 'look at its secret in the environment of the workers', async () => {
        await verifyChannel({ settings }, channel);
        return 'its secret is there, and its address answers; nothing was sent';
      }),
    ),
  ]);
  const verdicts = said.filter((verdict) => verdict !== undefined);
  if (options.json) process.stdout.write(`${JSON.stringify({ servers: verdicts })}\n`);
  else
    for (const { server, ok, sentence } of verdicts)
      process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${server.padEnd(14)} ${sentence}\n`);
  return verdicts.every(({ ok }) => ok) ? 0 : 1;
}

/** Where runs are taken up, and what tells of their problems is not. Where Temporal does not say, its own line does. */
async function unwatched(): Promise<Verdict | undefined> {
  try {
    return await withClient(async ({ temporal: { workflowService, options } }) => {
      const [runs, alerts] = await Promise.all(
        (['light', 'watch'] as const).map((queue) => isServed(workflowService, options.namespace, queue, Date.now())),
      );
      return runs && !alerts ? { server: 'Watch', ok: false, sentence: NOBODY_WATCHES } : undefined;
    });
  } catch {
    return undefined;
  }
}

/** The channels of scheduled pipelines that are no mail. Where Temporal does not say, its own line does. */
async function webhooks(): Promise<{ pipeline: string; channel: Channel }[]> {
  try {
    return await withClient(async ({ schedules }) => {
      const all = await Promise.all(
        (await scheduledNames(schedules)).map((name) => schedules.definition(name).catch(() => undefined)),
      );
      return all.flatMap((pipeline) =>
        pipeline === undefined
          ? []
          : channelsOf(pipeline.alerts)
              .filter(({ kind }) => kind !== 'email')
              .map((channel) => ({ pipeline: pipeline.name, channel })),
      );
    });
  } catch {
    return [];
  }
}

async function tried(server: string, remedy: string, work: () => Promise<string>): Promise<Verdict> {
  try {
    return { server, ok: true, sentence: await work() };
  } catch (error) {
    const found = sentenceOf(error);
    const said = found.includes('npm run stack') || found.includes('temporal operator');
    return {
      server,
      ok: false,
      sentence: said ? found : `${found} Start the local stack with "npm run stack -- up", or ${remedy}.`,
    };
  }
}

async function checkTemporal(): Promise<string> {
  return withClient(async (client) => {
    const { connection, options } = client.temporal;
    const { namespace } = options;
    try {
      await requireSearchAttributes(connection.operatorService, namespace);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      // Temporal Cloud lets nobody ask.
      return `namespace ${namespace}, connected; it does not let its search attributes be asked for`;
    }
    return `namespace ${namespace}, search attributes registered`;
  });
}

/** Asked for nothing: brokers write to it, and Sluice never does. */
async function checkZooKeeper({ zookeeper, kafka }: Settings): Promise<string> {
  if (!zookeeper) return '';
  const connector = new ZooKeeperConnector(zookeeper);
  // Where Kafka is away its own line says so; how ZooKeeper is can be told all the same.
  const brokers = await describeCluster(new KafkaConnector(kafka)).then(
    (cluster) => cluster.brokers,
    () => [],
  );
  return zooKeeperSentence(await connector.verify(brokers));
}

async function checkKafka(kafka: KafkaConnector, topic: string): Promise<string> {
  const { brokers, controller } = await describeCluster(kafka);
  await kafka.createTopic(topic, { partitions: 1, replication: 1, config: {} });
  try {
    const producer = kafka.producer();
    try {
      await producer.connect();
      await producer.send({ topic, acks: -1, messages: [{ partition: 0, key: 'check', value: topic }] });
    } finally {
      await producer.disconnect();
    }
    const high = (await kafka.watermarks(topic)).get(0)?.high;
    if (high !== 1n) throw new SluiceError('KafkaUnavailable', `Kafka took one record and counts ${high ?? 'none'}.`);
    return `${brokers.length === 1 ? 'broker' : 'brokers'} ${brokers.join(', ')}, controller ${controller}; topic made, record written and counted, topic deleted`;
  } finally {
    await kafka.admin(`topic ${topic}`, (admin) => admin.deleteTopics({ topics: [topic] }));
  }
}

async function checkStore(store: ObjectStore, name: string): Promise<string> {
  const made = await store.ensureBucket();
  const key = `checks/${name}`;
  await store.put(key, Buffer.from(name));
  try {
    const read = await store.find(key);
    if (read?.toString() !== name)
      throw new SluiceError('ObjectCorrupt', `The object store gave back other bytes than it got.`);
  } finally {
    await store.remove([key]);
  }
  return `bucket ${store.bucket}${made ? ' made' : ''}, object written, read back, deleted`;
}

/** Spark writes to the object store by itself, and has to be let. */
async function checkSpark(settings: Settings, name: string): Promise<string> {
  if (!settings.spark) return '';
  const spark = new SparkConnector(settings.spark);
  const store = new ObjectStore(settings.store);
  const session = spark.session(randomUUID(), { signal: new AbortController().signal, progress: () => {} });
  const prefix = `checks/${name}-spark/`;
  try {
    await store.ensureBucket();
    await session.sql(`INSERT OVERWRITE DIRECTORY 's3a://${store.bucket}/${prefix}' USING text SELECT '${name}'`);
    const parts: string[] = [];
    for await (const { key } of store.list(prefix)) if (key.endsWith('.txt')) parts.push(key);
    const written = await Promise.all(parts.map((key) => store.get(key)));
    if (written.join('').trim() !== name)
      throw new SluiceError('EngineFailed', 'Spark wrote something else to the object store than it was told to.');
    return 'session opened, query run, object written to the object store, deleted';
  } finally {
    await session.release();
    await store.removeBelow(prefix);
    spark.close();
  }
}

async function checkSearch(search: SearchConnector, index: string): Promise<string> {
  try {
    return await search.request(`index ${index}`, async (client) => {
      await client.indices.create({ index });
      try {
        await client.index({ index, id: '1', document: { check: index }, refresh: true });
        const { count } = await client.count({ index });
        if (count !== 1)
          throw new SluiceError('ElasticsearchUnavailable', `Elasticsearch took one document and counts ${count}.`);
      } finally {
        await client.indices.delete({ index });
      }
      return 'index made, document written and counted, index deleted';
    });
  } finally {
    await search.close();
  }
}
