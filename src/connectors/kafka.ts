// Before kafkajs: it changes how that encodes.
import './kafka-encoding.ts';
import './kafka-throttle.ts';
import kafkajs, { type Admin, type Consumer, type IHeaders, type Kafka as KafkaClient, type Producer } from 'kafkajs';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Watermarks } from './log.ts';
import { waitingOn } from './meter.ts';
import type { Settings } from './settings.ts';

const { Kafka, logLevel, CompressionTypes } = kafkajs;

/**
 * Of each partition, at once. kafkajs unpacks the whole answer before anybody sees a record, and records are ten to thirty times as large then
 * as they came, compressed; more bytes gained no speed.
 */
const FETCH_BYTES = 262_144;

/** The brokers. All of kafkajs stays behind this module and its neighbours `kafka-*`. */
export class KafkaConnector {
  readonly brokers: readonly string[];
  readonly #kafka: KafkaClient;

  constructor(settings: Settings['kafka']) {
    this.brokers = settings.brokers;
    this.#kafka = new Kafka({
      clientId: 'sluice',
      brokers: [...settings.brokers],
      // Failures come back as errors; kafkajs' own log would say them a second time.
      logLevel: logLevel.NOTHING,
      connectionTimeout: 5_000,
      requestTimeout: 30_000,
      retry: { initialRetryTime: 200, retries: 5, maxRetryTime: 5_000 },
    });
  }

  /** Runs some administration, then disconnects. */
  async admin<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin();
    try {
      return await waitingOn('broker', async () => {
        await admin.connect();
        return work(admin);
      });
    } catch (error) {
      throw this.unavailable(what, error);
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }

  /** How many partitions a topic has; undefined where there is no such topic. */
  async partitionsOf(topic: string): Promise<number | undefined> {
    return this.admin(`topic ${topic}`, async (admin) => {
      if (!(await admin.listTopics()).includes(topic)) return undefined;
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length;
    });
  }

  /** Replicas of a topic's first partition. */
  async replicationOf(topic: string): Promise<number> {
    return this.admin(`topic ${topic}`, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions[0]?.replicas.length ?? 1;
    });
  }

  /** Creates a topic and waits for its leaders. @returns false where it existed already. */
  async createTopic(
    topic: string,
    options: { partitions: number; replication: number; config: Record<string, string> },
  ): Promise<boolean> {
    return this.admin(`topic ${topic}`, (admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic,
            numPartitions: options.partitions,
            replicationFactor: options.replication,
            configEntries: Object.entries(options.config).map(([name, value]) => ({ name, value })),
          },
        ],
      }),
    );
  }

  async watermarks(topic: string): Promise<Map<number, Watermarks>> {
    return this.admin(`offsets of ${topic}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
    });
  }

  /** By partition, the first offset whose record is not older than a time; the end where all are. */
  async offsetsAt(topic: string, time: number): Promise<Map<number, bigint>> {
    return this.admin(`offsets of ${topic}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, time);
      return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]));
    });
  }

  /**
   * An idempotent producer that has one send in flight. After any rejected send it must be thrown away: kafkajs rolls its
   * sequence number back, and a later send could be acknowledged without ever being written.
   */
  producer(): Producer {
    return this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 200, retries: 8, maxRetryTime: 5_000 },
    });
  }

  consumer(groupId: string): Consumer {
    return this.#kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: 30_000,
      heartbeatInterval: 3_000,
      rebalanceTimeout: 60_000,
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: FETCH_BYTES,
      retry: { initialRetryTime: 200, retries: 5, maxRetryTime: 5_000 },
    });
  }

  unavailable(what: string, error: unknown): unknown {
    if (error instanceof SluiceError || (error instanceof Error && error.name === 'AbortError')) return error;
    const message = `Kafka at ${this.brokers.join(', ')} failed on ${what}: ${sentenceOf(error)}.`;
    return new SluiceError('KafkaUnavailable', message, { cause: error });
  }
}

export const compressionOf = (name: 'none' | 'gzip'): number =>
  name === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;

/** Header values as text; the last one where a header stands twice. */
export function headersOf(headers: IHeaders | undefined): Record<string, string> {
  const read: Record<string, string> = {};
  for (const name of Object.keys(headers ?? {})) {
    const value = headers?.[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    // A header of no bytes has no text.
    if (last !== undefined && last !== null) read[name] = last.toString();
  }
  return read;
}
