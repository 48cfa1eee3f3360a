import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';

import { join } from 'node:path';
import { needs, versions } from '../versions.ts';
import { expectOk, LOOPBACK, type Place, type Server } from './server.ts';

/** As Spark's own scripts start it, or its serializers do not get at what they need. */
const OPENED = [
  'lang',
  'lang.invoke',
  'lang.reflect',
  'io',
  'net',
  'nio',
  'util',
  'util.concurrent',
  'util.concurrent.atomic',
];
const OPENED_INNER = ['jdk.internal.ref', 'sun.nio.ch', 'sun.nio.cs', 'sun.security.action', 'sun.util.calendar'];

/** Spark with two workers' threads in one process, spoken to over Spark Connect. It reaches the stack's MinIO, and nothing else. */
export const spark: Server = {
  name: 'spark',
  title: 'Spark, over Spark Connect',
  ports: { spark: 15_002, sparkUi: 4040 },
  needsJava: needs.sparkJdk,
  prepare: async (place) => {
    // In a file, for its owner alone: a command line is read by everybody.
    await writeFile(join(place.folder, 'spark.conf'), settings(place), { mode: 0o600 });
  },
  launch: ({ home, folder, javaHome, credentials }) => ({
    program: join(javaHome, 'bin', 'java'),
    args: [
      ...['-Xms512m', '-Xmx2g', '-XX:+ExitOnOutOfMemoryError', `-Djava.io.tmpdir=${folder}`],
      ...[...OPENED.map((name) => `java.${name}`), ...OPENED_INNER].map(
        (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
      ),
      ...['-cp', join(home, 'jars', '*'), 'org.apache.spark.deploy.SparkSubmit'],
      ...['--properties-file', join(folder, 'spark.conf')],
      ...['--class', 'org.apache.spark.sql.connect.service.SparkConnectServer'],
      join(home, 'jars', `spark-connect_2.13-${versions.spark}.jar`),
    ],
    cwd: folder,
    environment: { AWS_ACCESS_KEY_ID: credentials.user, AWS_SECRET_ACCESS_KEY: credentials.password },
  }),
  answers: async ({ ports }) => {
    await connects(ports['spark'] ?? 0);
    await expectOk(`http://${LOOPBACK}:${ports['sparkUi']}/api/v1/applications`);
  },
  environment: ({ ports, credentials }) => ({
    SLUICE_SPARK_URL: `sc://${LOOPBACK}:${ports['spark']}`,
    SLUICE_SPARK_TOKEN: token(credentials),
    SLUICE_SPARK_UI_URL: `http://${LOOPBACK}:${ports['sparkUi']}`,
  }),
  link: ({ ports }) => `http://${LOOPBACK}:${ports['sparkUi']}`,
};

/** Another secret than the object store's: it goes to whoever may speak to Spark. */
const token = ({ password }: Place['credentials']): string =>
  createHash('sha256').update(`spark ${password}`).digest('hex');

function settings({ folder, ports, allPorts, credentials }: Place): string {
  const all = {
    'spark.master': 'local[2]',
    'spark.app.name': 'sluice',
    'spark.driver.host': LOOPBACK,
    'spark.driver.bindAddress': LOOPBACK,
    'spark.local.dir': folder,
    'spark.sql.warehouse.dir': join(folder, 'warehouse'),
    'spark.sql.catalogImplementation': 'in-memory',
    'spark.ui.port': ports['sparkUi'],
    'spark.port.maxRetries': 0,
    'spark.connect.grpc.binding.address': LOOPBACK,
    'spark.connect.grpc.binding.port': ports['spark'],
    'spark.connect.authenticate.token': token(credentials),
    // For so long what a worker that died has asked for goes on, and is kept for the one that comes after it.
    'spark.connect.execute.manager.detachedTimeout': '1h',
    // As many as there are threads: more make every small job slower.
    'spark.sql.shuffle.partitions': 4,
    'spark.hadoop.fs.s3a.endpoint': `http://${LOOPBACK}:${allPorts['minio'] ?? 9000}`,
    'spark.hadoop.fs.s3a.endpoint.region': 'us-east-1',
    'spark.hadoop.fs.s3a.path.style.access': 'true',
    'spark.hadoop.fs.s3a.aws.credentials.provider':
      'software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider',
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: LOOPBACK, timeout: 1_000 });
    socket
      .once('connect', () => {
        socket.destroy();
        resolve();
      })
      .once('error', reject)
      .once('timeout', () => {
        socket.destroy();
        reject(new Error('no answer'));
      });
  });
}
