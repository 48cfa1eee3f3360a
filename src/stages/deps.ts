import type { KafkaConnector } from '../connectors/kafka.ts';
import type { Log } from '../connectors/log.ts';
import type { MailConnector } from '../connectors/mail.ts';
import type { Metrics } from '../connectors/metrics.ts';
import type { Store } from '../connectors/object-store.ts';
import type { ServerLogs } from '../connectors/server-logs.ts';
import type { SearchConnector } from '../connectors/search.ts';
import type { SparkConnector } from '../connectors/spark/spark.ts';
import type { Settings } from '../connectors/settings.ts';
import type { ZooKeeperConnector } from '../connectors/zookeeper.ts';

export type { Metrics };

/** What every stage works with. Built once a process; tests build it on the real servers. */
export interface StageDeps {
  readonly store: Store;
  readonly kafka: KafkaConnector;
  /** The data in it: appends and bounded reads. */
  readonly log: Log;
  readonly search: SearchConnector;
  readonly mail: MailConnector;
  /** Absent where the worker's configuration names none: on KRaft there is none. */
  readonly zookeeper?: ZooKeeperConnector;
  /** Absent where the worker's configuration names no Spark. */
  readonly spark?: SparkConnector;
  readonly settings: Settings;
  /** Absent where nobody asks for them. */
  readonly metrics?: Metrics;
  /** Of the local stack; absent elsewhere. */
  readonly serverLogs?: ServerLogs;
}

/** How far a stage is. Becomes the activity's heartbeat and the live line of the CLI, so it stays small. */
export interface Progress {
  readonly rows?: number;
  readonly bytes?: number;
  /** A few words: `sent 12,000 of 32,735`. */
  readonly note?: string;
  /** What the next attempt needs to go on from here. */
  readonly resume?: unknown;
  /** Attempts that failed before, by code: whoever runs the stage adds it. */
  readonly failed?: Readonly<Record<string, number>>;
}

/** How a stage is told to stop, and how it says that it is alive. */
export interface StageContext {
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** The last progress that an earlier attempt at the same work reported, as it came back: of any form. */
  readonly previous?: unknown;
  /** The run that the work is for, where it is for one: its temporary objects stand below that name, so that they can be told from others'. */
  readonly runId?: string;
}

/** A context for callers that neither cancel nor watch. */
export const unattended: StageContext = { signal: new AbortController().signal, progress: () => {} };
