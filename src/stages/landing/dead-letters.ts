import type { LogRecord, LogWriter, ReadRecord } from '../../connectors/log.ts';
import { SluiceError } from '../../definition/errors.ts';
import { deadLetterTopic, keys } from '../../definition/names.ts';
import type { StageDeps } from '../deps.ts';
import type { ConsumeInput } from '../io.ts';

/** A record that cannot be landed, and why. */
export interface DeadLetter {
  readonly record: ReadRecord;
  readonly reason: DeadLetterReason;
  /** One sentence. */
  readonly explanation: string;
}

/**
 * - `foreign`: not written by Sluice, and not to be landed.
 * - `epoch`: written by Sluice in another life of the topic.
 * - `unreadable`: no row by its schema.
 */
export type DeadLetterReason = 'foreign' | 'epoch' | 'unreadable';

/** A header that a dead letter's own header of that name is kept under. */
export const ORIGINAL = 'original-';
/** The header that names the object which holds a value too large for a record with more headers. */
export const VALUE_AT = 'value-at';

/** Well below the 1 MiB that a broker takes at once by default. */
const MAX_SEND_BYTES = 600_000;
const MAX_SEND_RECORDS = 500;

/**
 * Sends records to the dead-letter topic of a stream, which it makes at the first one. A consumer that dies between a send and its manifest
 * sends again: epoch, partition and offset in the headers say which are the same.
 */
export class DeadLetterQueue {
  readonly #deps: Pick<StageDeps, 'kafka' | 'log' | 'store'>;
  readonly #input: ConsumeInput;
  #writer: Promise<LogWriter> | undefined;

  constructor(deps: Pick<StageDeps, 'kafka' | 'log' | 'store'>, input: ConsumeInput) {
    this.#deps = deps;
    this.#input = input;
  }

  /** @throws SluiceError `PublishInterrupted`, `KafkaUnavailable`, `StoreUnavailable` (worth a retry) */
  async send(letters: readonly DeadLetter[]): Promise<void> {
    let records: LogRecord[] = [];
    let bytes = 0;
    for (const letter of letters) {
      const record = await this.#recordOf(letter);
      const size = sizeOf(record);
      if (records.length > 0 && (bytes + size > MAX_SEND_BYTES || records.length >= MAX_SEND_RECORDS)) {
        await this.#append(records);
        records = [];
        bytes = 0;
      }
      records.push(record);
      bytes += size;
    }
    if (records.length > 0) await this.#append(records);
  }

  async close(): Promise<void> {
    const writer = await this.#writer?.catch(() => undefined);
    await writer?.close();
  }

  async #append(records: readonly LogRecord[]): Promise<void> {
    this.#writer ??= this.#open();
    await (await this.#writer).send(0, records);
  }

  async #open(): Promise<LogWriter> {
    const { kafka, log, store } = this.#deps;
    const { stream, topic } = this.#input;
    const name = deadLetterTopic(topic);
    const { value: owner } = await store.createJson(keys.topicOwner(name), { stream });
    if (owner.stream !== stream) {
      throw new SluiceError(
        'TopicNotOurs',
        `Topic ${name} belongs to ${owner.stream}; dead letters of ${stream} need it: give one of them another publish.topic.`,
      );
    }
    if ((await kafka.partitionsOf(name)) === undefined) {
      const replication = await kafka.replicationOf(topic);
      const config = {
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'min.insync.replicas': String(Math.min(2, replication)),
      };
      await kafka.createTopic(name, { partitions: 1, replication, config });
    }
    return log.writer(name, 'gzip');
  }

  async #recordOf({ record, reason, explanation }: DeadLetter): Promise<LogRecord> {
    const { topic, epoch, stream } = this.#input;
    const { partition, offset, timestamp, key, value } = record;
    const originals = Object.entries(record.headers).map(([name, text]) => [`${ORIGINAL}${name}`, text]);
    const where: Record<string, string> = {
      ...{ reason, explanation, topic, epoch },
      ...{ partition: String(partition), offset: String(offset), time: String(timestamp) },
    };
    const whole: LogRecord = { key, value, headers: { ...(Object.fromEntries(originals) as typeof where), ...where } };
    if (sizeOf(whole) <= MAX_SEND_BYTES) return whole;
    const at = keys.deadLetterValue(stream, epoch, partition, offset);
    await this.#deps.store.put(at, Buffer.from(JSON.stringify(portable(record))));
    return { key: null, value: null, headers: { ...where, [VALUE_AT]: at } };
  }
}

/** A record of any bytes as JSON. */
const portable = ({ key, value, headers }: ReadRecord) => ({
  key: key?.toString('base64') ?? null,
  value: value?.toString('base64') ?? null,
  headers,
});

function sizeOf({ key, value, headers }: LogRecord): number {
  const length = (part: string | Buffer | null): number => (part === null ? 0 : Buffer.byteLength(part));
  const named = Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text), 0);
  return length(key) + length(value) + named;
}
