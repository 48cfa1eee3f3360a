import type { Log, LogRecord, ReadRecord } from '../connectors/log.ts';
import type { Store } from '../connectors/object-store.ts';
import { deadLetterTopic, keys } from '../definition/names.ts';
import type { Stream } from '../definition/streams.ts';
import { ORIGINAL, VALUE_AT } from '../stages/landing/dead-letters.ts';

/** A record that could not be landed. Key and value are what the producer wrote. */
export interface DeadLetterView {
  /** Where it stood: epoch, partition and offset of the topic. */
  readonly epoch: string;
  readonly partition: number;
  readonly offset: string;
  /** ISO time of the record, as its producer set it. */
  readonly time: string;
  readonly reason: string;
  readonly explanation: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** It has been sent to the topic again. */
  readonly replayed: boolean;
}

/** Which dead letters: all where nothing is said. */
export interface Which {
  readonly reason?: string;
  /** `partition:offset` */
  readonly at?: readonly string[];
}

type Deps = { readonly store: Store; readonly log: Log };

/** The dead letters of a stream, each once, in the order of their arrival. */
export async function readDeadLetters(
  deps: Deps,
  stream: Stream,
  which: Which,
  signal: AbortSignal,
): Promise<DeadLetterView[]> {
  const topic = deadLetterTopic(stream.topic);
  if (!(await deps.store.exists(keys.topicOwner(topic)))) return [];
  const watermarks = (await deps.log.watermarks(topic)).get(0);
  if (!watermarks || watermarks.high === watermarks.low) return [];
  const found = new Map<string, ReadRecord>();
  await deps.log.readRanges(
    topic,
    new Map([[0, { from: watermarks.low, to: watermarks.high }]]),
    (record) => {
      const { epoch = '', partition = '', offset = '', reason } = record.headers;
      if (which.reason !== undefined && which.reason !== reason) return;
      if (which.at !== undefined && !which.at.includes(`${partition}:${offset}`)) return;
      // A consumer that died before its manifest has sent it twice.
      found.set(`${epoch}/${partition}/${offset}`, record);
    },
    signal,
  );
  const replayed = new Set<string>();
  for await (const { key } of deps.store.list(keys.deadLettersReplayed(stream.name))) replayed.add(key);
  return Promise.all([...found.values()].map((record) => viewOf(deps.store, stream, record, replayed)));
}

async function viewOf(
  store: Store,
  stream: Stream,
  { key, value, headers }: ReadRecord,
  replayed: ReadonlySet<string>,
): Promise<DeadLetterView> {
  const { epoch = '', partition = '0', offset = '0', time = '0', reason = '', explanation = '' } = headers;
  const at = new Date(Number(time));
  const where = {
    ...{ epoch, partition: Number(partition), offset, reason, explanation },
    time: Number.isNaN(at.getTime()) ? '' : at.toISOString(),
    replayed: replayed.has(keys.deadLetterReplayed(stream.name, epoch, Number(partition), BigInt(offset))),
  };
  const aside = headers[VALUE_AT];
  if (aside !== undefined) {
    const kept = JSON.parse((await store.get(aside)).toString()) as {
      key: string | null;
      value: string | null;
      headers: Record<string, string>;
    };
    const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'));
    return { ...where, key: bytes(kept.key), value: bytes(kept.value), headers: kept.headers };
  }
  const originals = Object.entries(headers).filter(([name]) => name.startsWith(ORIGINAL));
  return {
    ...where,
    key,
    value,
    headers: Object.fromEntries(originals.map(([name, text]) => [name.slice(ORIGINAL.length), text])),
  };
}

/**
 * Sends dead letters to their topic again, to the partition that they came from, and keeps that this was done. A replay that is killed
 * between the two sends that record again the next time.
 * @returns how many were sent
 */
export async function replayDeadLetters(
  deps: Deps,
  stream: Stream,
  letters: readonly DeadLetterView[],
  progress: (sent: number) => void,
): Promise<number> {
  const due = letters.filter(({ replayed }) => !replayed);
  if (due.length === 0) return 0;
  const writer = await deps.log.writer(stream.topic, 'gzip');
  try {
    for (const [at, { epoch, partition, offset, key, value, headers }] of due.entries()) {
      const record: LogRecord = {
        key,
        value,
        headers: { ...headers, 'replayed-from': `${epoch}/${partition}/${offset}` },
      };
      await writer.send(partition, [record]);
      const marker = keys.deadLetterReplayed(stream.name, epoch, partition, BigInt(offset));
      await deps.store.createJson(marker, { epoch, partition, offset, at: new Date().toISOString() });
      progress(at + 1);
    }
  } finally {
    await writer.close();
  }
  return due.length;
}
