/** Every version of the local stack, in one place. The cache is keyed by them. */
export const versions = {
  /** The CLI that carries server 1.29.1 and Web UI 2.42.1; newer ones do not install by `go install`. */
  temporal: 'v1.5.1',
  /** The last commit of the archived repository: it has the fix for conditional writes without a read quorum. */
  minio: 'v0.0.0-20260212201848-7aac2a2c5b7c',
  mailpit: 'v1.27.11',
  kafka: '4.1.1',
  elasticsearch: '9.2.0',
  spark: '4.1.1',
  zookeeper: '3.8.4',
} as const;

/** The last line of Kafka that has ZooKeeper; it brings the one above along. */
export const zooKeeperKafka = '3.9.1';

/** What leads Kafka's log to the Log4j that it comes with: of the same version. */
export const kafkaLog4j = '2.24.3';

/** What a stack's Kafka keeps its metadata in: itself, or ZooKeeper. */
export const kafkaKinds = ['kraft', 'zookeeper'] as const;
export type KafkaKind = (typeof kafkaKinds)[number];

/** What Spark reads and writes the object store with: Hadoop's module of the release that Spark is built with, and the AWS SDK that it names. */
export const sparkStore = { hadoopAws: '3.4.2', awsSdk: '2.29.52' } as const;

/** Oldest tools that the stack can be built and run with. */
export const needs = {
  jdk: { for: 'The stack (Kafka, Elasticsearch)', least: 21, most: Infinity },
  // Hadoop asks a later one for what it no longer has, and ends.
  sparkJdk: { for: 'Spark', least: 17, most: 23 },
  zooKeeperJdk: { for: 'Kafka with ZooKeeper', least: 17, most: Infinity },
  go: '1.24',
} as const;
export type JdkNeed = (typeof needs)['jdk' | 'sparkJdk' | 'zooKeeperJdk'];

/** Those that a stack has where nothing else is said. */
export const usualServers = ['temporal', 'minio', 'mailpit', 'kafka', 'elasticsearch'] as const;
/** Those that are asked for with `--with`. */
export const optionalServers = ['spark'] as const;
/** All of them; ZooKeeper comes with a Kafka that needs it. */
export const serverNames = [...usualServers, ...optionalServers, 'zookeeper'] as const;
export type ServerName = (typeof serverNames)[number];

/** Files that are fetched or built once for every stack: a folder of the cache. */
export interface Package {
  readonly name: Exclude<ServerName, 'zookeeper'>;
  readonly version: string;
}
