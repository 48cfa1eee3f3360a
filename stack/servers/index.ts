import type { KafkaKind, ServerName } from '../versions.ts';
import { elasticsearch } from './elasticsearch.ts';
import { kafka } from './kafka.ts';
import { kafkaWithZooKeeper } from './kafka-with-zookeeper.ts';
import { mailpit } from './mailpit.ts';
import { minio } from './minio.ts';
import type { Server } from './server.ts';
import { spark } from './spark.ts';
import { temporal } from './temporal.ts';
import { zookeeper } from './zookeeper.ts';

const others = { temporal, minio, mailpit, elasticsearch, spark, zookeeper };
const all: Readonly<Record<KafkaKind, Readonly<Record<ServerName, Server>>>> = {
  kraft: { ...others, kafka },
  zookeeper: { ...others, kafka: kafkaWithZooKeeper },
};

/** The servers of a stack that has this kind of Kafka. */
export const serversOf = (kind: KafkaKind): Readonly<Record<ServerName, Server>> => all[kind];
