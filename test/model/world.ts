import { SluiceError } from '../../src/definition/errors.ts';
import { keys } from '../../src/definition/names.ts';
import type { PreparedStream } from '../../src/definition/refs.ts';
import type { DeadLetter } from '../../src/stages/landing/dead-letters.ts';
import type { StoredSchema } from '../../src/stages/landing/schema.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import type { Actor } from './actor.ts';
import { Consumer, type ConsumerRules } from './consumer.ts';
import { MemoryBucket, MemoryStore } from './memory-bucket.ts';
import { MemoryLog, MemoryTopic } from './memory-log.ts';
import type { Publisher } from './publisher.ts';
import { epoch, preparedStream, stream, universes, type Format, type Universe } from './universe.ts';

/** What a sequence begins with. */
export interface Setup {
  readonly format: Format;
  readonly partitions: number;
  readonly batchRows: number;
  /** In the end all is compacted, and what is garbage then collected. */
  readonly maintained: boolean;
}

/** A send that its sender has given up, on its way still. */
interface LateSend {
  append(): void;
}

/** The servers, and every process of ours that works on them: all that a sequence acts upon. */
export class World {
  readonly setup: Setup;
  readonly universe: Universe;
  readonly prepared: PreparedStream;
  readonly bucket: MemoryBucket;
  readonly topic: MemoryTopic;
  readonly late: LateSend[] = [];
  /** Partition and offset of each record that a consumer could not land, of whichever it kept as one. */
  readonly deadLetters = new Set<string>();
  /** Publishers that stand still within a send. */
  readonly publishers: Publisher[] = [];
  /** Runs that stand still while they make an hour what it is to be. */
  readonly commits: { readonly hour: string; readonly batchId: string; readonly actor: Actor }[] = [];
  /** Compactions and collections of garbage that stand still. */
  readonly maintenance: Actor[] = [];
  /** Consumers that believe to be the only one. */
  readonly consumers: [Consumer | undefined, Consumer | undefined] = [undefined, undefined];
  /** What came about, to show that the sequences do bring it about. */
  readonly seen = {
    racesLost: 0,
    truncated: 0,
    halted: 0,
    wentOn: 0,
    late: 0,
    compacted: 0,
    collections: 0,
    collected: 0,
  };
  /** The model's clock, in milliseconds since 1970; it stands still between commands that move it. */
  now = Date.parse('2026-11-24T04:10:00Z');

  constructor(setup: Setup) {
    this.setup = setup;
    this.universe = universes[setup.format];
    this.prepared = preparedStream(this.universe, setup.partitions);
    this.bucket = new MemoryBucket(() => this.now);
    this.topic = new MemoryTopic(setup.partitions, () => this.now);
    const { pipeline, schema, output } = this.universe;
    const { format, type } = pipeline.land;
    const stored: StoredSchema = {
      version: schema,
      output,
      land: { format, ...(type === undefined ? {} : { type }) },
    };
    this.bucket.put(keys.schema(stream, schema), Buffer.from(JSON.stringify(stored)));
  }

  keepDeadLetters(letters: readonly DeadLetter[]): void {
    for (const { record } of letters) this.deadLetters.add(`${record.partition}/${record.offset}`);
  }

  storeFor(actor: Pick<Actor, 'call'>): MemoryStore {
    return new MemoryStore(this.bucket, actor);
  }

  logFor(actor: Actor): MemoryLog {
    return new MemoryLog(this.topic, actor, (append) => this.late.push({ append }));
  }

  consumer(rules: ConsumerRules): Consumer {
    return new Consumer(this, rules);
  }

  /** The head of a partition's chain, read past all code under test. */
  headOf(partition: number): Manifest | undefined {
    const last = this.bucket.keys(keys.chain(stream, epoch, partition)).at(-1);
    return last === undefined ? undefined : this.bucket.json<Manifest>(last);
  }

  positionOf(partition: number): number {
    const head = this.headOf(partition);
    return head ? Number(head.last) + 1 : 0;
  }

  /** Partitions whose log begins after what has been landed of them: rows may be gone. */
  truncated(): number[] {
    return this.topic.partitions.flatMap(({ low }, partition) => (this.positionOf(partition) < low ? [partition] : []));
  }

  /**
   * Whether a consumer is right to see rows missing: records were lost, and of those that are left nobody can tell that they belong to two
   * attempts at the same batch. The log goes from row 0 of one to a later row of the other.
   */
  mayHalt(error: unknown): boolean {
    if (!(error instanceof SluiceError) || error.code !== 'RowsMissing') return false;
    const { partition, batch } = error.facts;
    const { records = [] } = this.topic.partitions[Number(partition)] ?? {};
    const begun = records.filter(({ headers }) => headers['batch'] === batch && headers['seq'] === '0');
    return begun.length > 1 && this.bucket.keys(keys.losses(stream, epoch)).length > 0;
  }
}
