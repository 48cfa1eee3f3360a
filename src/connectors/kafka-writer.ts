import type { IHeaders, Producer } from 'kafkajs';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { compressionOf, type KafkaConnector } from './kafka.ts';
import type { LogRecord, LogWriter } from './log.ts';
import { moved, waitingOn } from './meter.ts';
import { tracedRequest, traceHere } from './tracing.ts';
import { writeTraceHeaders, type TraceContext } from '../definition/tracing.ts';

/**
 * Writes to explicit partitions with one send in flight. After a failed send it is of no more use: the attempt ends, and the next
 * one reads the log's tail before it sends again.
 */
export class KafkaWriter implements LogWriter {
  readonly #topic: string;
  readonly #producer: Producer;
  readonly #compression: number;
  #broken = false;

  private constructor(topic: string, producer: Producer, compression: number) {
    this.#topic = topic;
    this.#producer = producer;
    this.#compression = compression;
  }

  static async open(kafka: KafkaConnector, topic: string, compression: 'none' | 'gzip'): Promise<KafkaWriter> {
    const producer = kafka.producer();
    try {
      await waitingOn('broker', () => producer.connect());
    } catch (error) {
      throw kafka.unavailable(`topic ${topic}`, error);
    }
    return new KafkaWriter(topic, producer, compressionOf(compression));
  }

  /** @throws SluiceError `PublishInterrupted` */
  async send(partition: number, records: readonly LogRecord[]): Promise<bigint> {
    if (this.#broken) throw new RangeError('a producer is not used again after a failed send');
    if (records.length === 0) throw new RangeError('nothing to send');
    const about = {
      ...{ 'messaging.system': 'kafka', 'messaging.operation.type': 'send', 'messaging.destination.name': this.#topic },
      ...{ 'messaging.destination.partition.id': String(partition), 'messaging.batch.message_count': records.length },
    };
    try {
      const [answer] = await tracedRequest(
        'broker',
        `send ${this.#topic}`,
        about,
        async (span) => {
          const messages = withTrace(records, span?.context ?? traceHere()).map(({ key, value, headers }) => ({
            ...{ key, value, partition },
            headers: headers as IHeaders,
          }));
          const sent = await waitingOn('broker', () =>
            this.#producer.send({ topic: this.#topic, acks: -1, compression: this.#compression, messages }),
          );
          span?.set({ 'messaging.kafka.offset': sent[0]?.baseOffset });
          return sent;
        },
        'producer',
      );
      moved('broker', bytesOf(records));
      return BigInt(answer?.baseOffset ?? -1);
    } catch (error) {
      this.#broken = true;
      throw new SluiceError(
        'PublishInterrupted',
        `Sending ${records.length} records to ${this.#topic}, partition ${partition} failed: ${sentenceOf(error)}. ` +
          'The next attempt reads from the topic how far it got, and goes on there.',
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect().catch(() => {});
  }
}

/** Keys and values before they are packed, without headers. */
const bytesOf = (records: readonly LogRecord[]): number =>
  records.reduce((sum, { key, value }) => sum + Buffer.byteLength(key ?? '') + Buffer.byteLength(value ?? ''), 0);

/**
 * The first record of a send says which trace the send belongs to, where somebody keeps that. One of thousands is enough for whoever reads them in
 * turn; nothing that Sluice reads, or makes ids of, depends on it.
 */
export function withTrace(records: readonly LogRecord[], trace: TraceContext | undefined): readonly LogRecord[] {
  const [first, ...others] = records;
  if (!first || !trace?.sampled) return records;
  return [{ ...first, headers: { ...writeTraceHeaders(trace), ...first.headers } }, ...others];
}
