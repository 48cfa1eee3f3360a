import type { KafkaConnector } from './kafka.ts';
import { readRanges } from './kafka-reader.ts';
import { waitingOn } from './meter.ts';
import { KafkaWriter } from './kafka-writer.ts';
import type { Log } from './log.ts';

/** A Kafka cluster as a {@link Log}. */
export function kafkaLog(kafka: KafkaConnector): Log {
  return {
    watermarks: (topic) => kafka.watermarks(topic),
    readRanges: (topic, ranges, each, signal) =>
      waitingOn('broker', () => readRanges(kafka, topic, ranges, each, signal)),
    writer: (topic, compression) => KafkaWriter.open(kafka, topic, compression),
  };
}
