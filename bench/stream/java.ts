import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sentenceOf } from '../../src/definition/errors.ts';
import { cacheFolder } from '../../stack/paths.ts';
import { StackProgress } from '../../stack/progress.ts';
import { provisionInto } from '../../stack/provision.ts';
import { findJdk, requireMaven } from '../../stack/tools.ts';
import { needs, versions } from '../../stack/versions.ts';
import { submitCommand, type Command } from '../spark/submit.ts';
import { firstMessages } from './messages.ts';
import type { Job } from './job.ts';

/** The client and the pool that Spark's Kafka source is built with. */
const sparkKafka = { clients: '3.9.1', pool: '2.12.1' } as const;

/**
 * Kafka's own producer tool on the stack's jars: as many records of the same bytes, into as many partitions, with the same acknowledgement
 * and compression. A record is one of ours with its key and its headers in its value, as the tool sends neither.
 */
export async function producerTool(folder: string, job: Job, brokers: string): Promise<Command> {
  const payload = join(folder, 'payload.txt');
  const lines = (await firstMessages(job))
    .flat()
    .map(({ key, value, headers }) => `${String(key)}${JSON.stringify(headers)}${String(value)}`);
  await writeFile(payload, `${lines.join('\n')}\n`);
  const { home } = await findJdk(needs.jdk);
  const settings = {
    'bootstrap.servers': brokers,
    acks: 'all',
    'compression.type': job.pipeline.publish.compression,
    'batch.size': '262144',
    'linger.ms': '5',
  };
  return {
    program: join(home, 'bin', 'java'),
    args: [
      ...['-Xmx512m', '-cp', join(cacheFolder(), `kafka-${versions.kafka}`, 'lib', '*')],
      ...['org.apache.kafka.tools.ProducerPerformance', '--topic', job.prepared.topic],
      ...['--num-records', String(job.batch.rows.clean), '--payload-file', payload, '--throughput', '-1'],
      '--producer-props',
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ],
    environment: process.env,
  };
}

/** What the tool says at its end: `1000000 records sent, 251256.28 records/sec (…`. */
export function toolSaid(line: string): { rows: number; seconds: number } {
  const [, rows = '', rate = ''] = /^(\d+) records sent, ([\d.]+) records\/sec/.exec(line) ?? [];
  if (rate === '') throw new Error(`Kafka's producer tool said: ${line}`);
  return { rows: Number(rows), seconds: Number(rows) / Number(rate) };
}

/** `spark-submit` of the streaming job, with what Spark reads Kafka with. */
export async function streamingJob(state: string, folder: string, python: string, brokers: string): Promise<Command> {
  const jars = await provisionInto(
    join(cacheFolder(), `spark-kafka-${versions.spark}`),
    'spark',
    new StackProgress(),
    fetchJars,
  );
  const names = [
    `spark-sql-kafka-0-10_2.13-${versions.spark}`,
    `spark-token-provider-kafka-0-10_2.13-${versions.spark}`,
    `kafka-clients-${sparkKafka.clients}`,
    `commons-pool2-${sparkKafka.pool}`,
  ];
  const script = join(import.meta.dirname, 'pyspark_land.py');
  const { program, args, environment } = await submitCommand(state, folder, python, script);
  const given = ['--jars', names.map((name) => join(jars, 'lib', `${name}.jar`)).join(',')];
  return {
    program,
    args: [...args.slice(0, -1), ...given, script],
    environment: { ...environment, KAFKA_BROKERS: brokers },
  };
}

async function fetchJars(folder: string, progress: StackProgress): Promise<void> {
  await requireMaven();
  const artifacts = [
    ['org.apache.spark', 'spark-sql-kafka-0-10_2.13', versions.spark],
    ['org.apache.spark', 'spark-token-provider-kafka-0-10_2.13', versions.spark],
    ['org.apache.kafka', 'kafka-clients', sparkKafka.clients],
    ['org.apache.commons', 'commons-pool2', sparkKafka.pool],
  ];
  // What else they need is in Spark.
  const alone = '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
  const dependencies = artifacts.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${alone}</dependency>`,
  );
  await writeFile(
    join(folder, 'pom.xml'),
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId>' +
      `<artifactId>fetched</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'];
  await progress.during('spark', 'fetching what Spark reads Kafka with', async () => {
    try {
      await promisify(execFile)('mvn', copy, { cwd: folder });
    } catch (error) {
      throw new Error(`Maven could not fetch Spark's Kafka source: ${sentenceOf(error)}`, { cause: error });
    }
  });
}
