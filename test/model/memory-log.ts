import {
  truncated,
  type Log,
  type LogRecord,
  type LogWriter,
  type Range,
  type ReadRecord,
  type Watermarks,
} from '../../src/connectors/log.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import type { Actor } from './actor.ts';
import { abandonAfterMs } from './universe.ts';

/**
 * No send is under way for longer. One that came after land.abandonAfter might find its batch closed: the consumer halts then, or, where
 * records were given up within that time, takes its rows for damaged ones and drops them.
 */
const LONGEST_SEND_MS = abandonAfterMs / 4;

/** What is appended at once: atomic, as Kafka appends a producer's batch. */
export interface Send {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** What the producer's clock said when it made the records. */
  readonly at: number;
}

interface Partition {
  readonly records: ReadRecord[];
  low: number;
}

/** A topic: append-only partitions, of which the broker may delete the front. */
export class MemoryTopic {
  readonly partitions: Partition[] = [];
  /** All that was appended, oldest first. */
  readonly sends: Send[] = [];
  readonly #now: () => number;

  constructor(partitions: number, now: () => number) {
    this.#now = now;
    for (let at = 0; at < partitions; at += 1) this.grow();
  }

  grow(): void {
    this.partitions.push({ records: [], low: 0 });
  }

  now(): number {
    return this.#now();
  }

  append(send: Send): bigint {
    const { partition, records, at } = send;
    const log = this.#of(partition).records;
    this.sends.push(send);
    const first = BigInt(log.length);
    for (const { key, value, headers } of records) {
      const offset = BigInt(log.length);
      log.push({
        partition,
        offset,
        timestamp: at,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers,
      });
    }
    return first;
  }

  truncate(partition: number, low: number): void {
    const of = this.#of(partition);
    of.low = Math.max(of.low, Math.min(low, of.records.length));
  }

  watermarks(): Map<number, Watermarks> {
    return new Map(
      this.partitions.map(({ records, low }, at) => [at, { low: BigInt(low), high: BigInt(records.length) }]),
    );
  }

  /** Records from an offset on; from the first one still there where that is deleted, as a consumer that resets would get. */
  read(partition: number, from: bigint, most: number): ReadRecord[] {
    const { records, low } = this.#of(partition);
    const start = Math.max(low, Number(from));
    return records.slice(start, start + most);
  }

  get size(): number {
    return this.partitions.reduce((sum, { records }) => sum + records.length, 0);
  }

  #of(partition: number): Partition {
    const found = this.partitions[partition];
    if (!found) throw new RangeError(`there is no partition ${partition}`);
    return found;
  }
}

/** A {@link MemoryTopic} as one process sees it. */
export class MemoryLog implements Log {
  readonly #topic: MemoryTopic;
  readonly #actor: Actor;
  readonly #later: (append: () => void) => void;

  /** @param later takes sends that arrive after their sender has given them up */
  constructor(topic: MemoryTopic, actor: Actor, later: (append: () => void) => void) {
    this.#topic = topic;
    this.#actor = actor;
    this.#later = later;
  }

  async watermarks(): Promise<Map<number, Watermarks>> {
    return this.#actor.call(() => this.#topic.watermarks());
  }

  async readRanges(
    name: string,
    ranges: ReadonlyMap<number, Range>,
    each: (record: ReadRecord) => void,
  ): Promise<void> {
    for (const [partition, { from, to }] of ranges) {
      if (from >= to) continue;
      const records = await this.#actor.call(() => {
        const { low } = this.#topic.watermarks().get(partition) ?? { low: 0n };
        if (low > from) throw truncated(name, partition, from, low);
        return this.#topic.read(partition, from, Number(to - from));
      });
      records.forEach(each);
    }
  }

  async writer(): Promise<LogWriter> {
    return new MemoryWriter(this.#topic, this.#actor, this.#later);
  }
}

/** Of no more use after a send that failed. */
export class MemoryWriter implements LogWriter {
  readonly #topic: MemoryTopic;
  readonly #actor: Actor;
  readonly #later: (append: () => void) => void;
  #broken = false;

  constructor(topic: MemoryTopic, actor: Actor, later: (append: () => void) => void) {
    this.#topic = topic;
    this.#actor = actor;
    this.#later = later;
  }

  async send(partition: number, records: readonly LogRecord[]): Promise<bigint> {
    if (this.#broken || records.length === 0) throw new RangeError('a writer is not used like this');
    const failure = (): SluiceError => {
      this.#broken = true;
      return new SluiceError('PublishInterrupted', 'The model lost this send, or its answer.');
    };
    const at = this.#topic.now();
    const append = (): bigint => this.#topic.append({ partition, records, at });
    const tooLate = (): boolean => this.#topic.now() - at > LONGEST_SEND_MS;
    const send = (): bigint => {
      if (tooLate()) throw failure();
      return append();
    };
    return this.#actor.call(send, failure, () => this.#later(() => void (tooLate() || append())));
  }

  async close(): Promise<void> {}
}
