import { SluiceError } from '../definition/errors.ts';

/** A record to be written. The partition is always explicit: kafkajs re-partitions unkeyed ones on each retry. */
export interface LogRecord {
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record as read. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970, as the producer set it. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** First offset still in the log, and the one that the next record gets. */
export interface Watermarks {
  readonly low: bigint;
  readonly high: bigint;
}

/** A stretch of one partition: from `from` (inclusive) to `to` (exclusive). */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** Appends to one topic. */
export interface LogWriter {
  /**
   * Appends records to a partition, in order, and returns the offset of the first. One call at a time: after one that failed the writer
   * is of no more use, and the log's tail is to be read before anybody sends again.
   * @throws SluiceError `PublishInterrupted` where it is not known whether the records are in the log
   */
  send(partition: number, records: readonly LogRecord[]): Promise<bigint>;
  close(): Promise<void>;
}

/** What publishing and reconciling need of a log: to append with a check, and to read fixed stretches. */
export interface Log {
  /** By partition. */
  watermarks(topic: string): Promise<Map<number, Watermarks>>;
  /**
   * Reads fixed stretches of a topic, once, each partition in the order of its offsets.
   * @throws SluiceError `LogTruncated` where a stretch begins before what the log still holds
   */
  readRanges(
    topic: string,
    ranges: ReadonlyMap<number, Range>,
    each: (record: ReadRecord) => void,
    signal: AbortSignal,
  ): Promise<void>;
  writer(topic: string, compression: 'none' | 'gzip'): Promise<LogWriter>;
}

/** How whoever handles a fetched batch steers the reader of its partition. */
export interface BatchControl {
  /** Tells the broker that work goes on. */
  alive(): Promise<void>;
  /** Moves the position of the partition. */
  seek(offset: bigint): void;
  /** Commits a group offset, which only lag displays read. */
  show(offset: bigint): Promise<void>;
}

export function truncated(topic: string, partition: number, wanted: bigint, low: bigint): SluiceError {
  return new SluiceError(
    'LogTruncated',
    `Topic ${topic}, partition ${partition} begins at offset ${low}, but offset ${wanted} is still needed: the broker deleted ` +
      'records before they were landed. Raise the topic’s retention, and re-run the hours concerned.',
    { facts: { topic, partition, wanted: String(wanted), low: String(low) } },
  );
}
