import type { ServerName } from '../versions.ts';
import { elasticsearch } from './elasticsearch.ts';
import { kafka } from './kafka.ts';
import { mailpit } from './mailpit.ts';
import { minio } from './minio.ts';
import type { Server } from './server.ts';
import { spark } from './spark.ts';
import { temporal } from './temporal.ts';

export const servers: Readonly<Record<ServerName, Server>> = { temporal, minio, mailpit, kafka, elasticsearch, spark };
