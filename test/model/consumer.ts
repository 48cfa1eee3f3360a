import type { BatchControl, ReadRecord } from '../../src/connectors/log.ts';
import type { ConsumeInput } from '../../src/stages/io.ts';
import { commitBatch } from '../../src/stages/landing/batch-record.ts';
import { PartitionLander, type LanderHooks } from '../../src/stages/landing/partition-lander.ts';
import { SchemaRegistry } from '../../src/stages/landing/schema.ts';
import { startLanders } from '../../src/stages/landing/start-landers.ts';
import { Actor, type Fault, type Outcome } from './actor.ts';
import { abandonAfterMs, epoch, stream } from './universe.ts';
import type { World } from './world.ts';

/** What may differ from one consumer to the next. */
export interface ConsumerRules {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Other producers' rows are landed; dead letters all otherwise. */
  readonly landsForeign: boolean;
}

/**
 * A consumer as `consume` makes one: a lander for each partition, the position being the chain's head. It is fed by hand, a few
 * records of one partition at a time; between two of them, and at each call of a server, anything else may happen.
 */
export class Consumer {
  readonly actor = new Actor();
  readonly rules: ConsumerRules;
  readonly landers = new Map<number, PartitionLander>();
  readonly world: World;
  /** It stood still at least once. */
  stopped = false;
  /** Where each partition is read next. */
  readonly #at = new Map<number, bigint>();
  readonly #signal = new AbortController().signal;

  constructor(world: World, rules: ConsumerRules) {
    this.world = world;
    this.rules = rules;
  }

  input(): ConsumeInput {
    const { maxRecords, maxBytes, landsForeign } = this.rules;
    const { universe, topic } = this.world;
    return {
      ...{ stream, topic: stream, epoch, life: 1, shard: 0, partitions: topic.partitions.length },
      ...{ maxRecords, maxBytes, abandonAfterMs, foreignFlushMs: 0 },
      ...(landsForeign ? { foreignSchema: universe.schema } : {}),
    };
  }

  /** What `consume` does when the group has given it all partitions. */
  start(fault?: Fault): Promise<Outcome<void>> {
    const store = this.world.storeFor(this.actor);
    const schemas = new SchemaRegistry(store, stream);
    const input = this.input();
    const hooks: LanderHooks = {
      ended: async (batch, end) => {
        await commitBatch(store, stream, batch, epoch, await schemas.get(end.schema));
      },
      committed: () => {},
      deadLetters: (letters) => this.actor.call(() => this.world.keepDeadLetters(letters)),
    };
    return this.actor.run(fault, async () => {
      const all = Array.from({ length: input.partitions }, (_, partition) => partition);
      const landers = all.map((partition) => new PartitionLander(store, input, schemas, partition, hooks));
      const starts = await startLanders(this.world.logFor(this.actor), stream, landers);
      for (const lander of landers) this.landers.set(lander.partition, lander);
      for (const [partition, { at }] of starts) this.#at.set(partition, at);
    });
  }

  /** Whether there is something left to read in a partition, or to notice. */
  behind(partition: number): boolean {
    const { high } = this.world.topic.watermarks().get(partition) ?? { high: 0n };
    return this.landers.has(partition) && (this.#at.get(partition) ?? 0n) < high;
  }

  fetch(partition: number, from: bigint, count: number): ReadRecord[] {
    return this.world.topic.read(partition, from, count);
  }

  /** One fetch. Where it brings nothing that is wanted, the position is compared with the log, as `consume` does after a while. */
  feed(partition: number, count: number, fault?: Fault): Promise<Outcome<void>> {
    const { topic } = this.world;
    const from = this.#at.get(partition) ?? 0n;
    const fetched = this.fetch(partition, from, count);
    const last = fetched.at(-1);
    return this.actor.run(fault, async () => {
      const lander = this.landers.get(partition);
      if (!lander || !last) return;
      this.#at.set(partition, last.offset + 1n);
      const before = lander.next;
      const control: BatchControl = {
        alive: () => this.actor.call(() => {}),
        seek: (offset) => {
          this.world.seen.racesLost += 1;
          this.#at.set(partition, offset);
        },
        show: async () => {},
      };
      await lander.take(fetched, control, this.#signal);
      const stuck = lander.next === before && last.offset >= before;
      const { low, high } = topic.watermarks().get(partition) ?? { low: 0n, high: 0n };
      if (stuck) lander.check(low, high);
    });
  }

  /** What `consume` does now and then: records of other producers end no chunk by themselves. */
  idle(fault?: Fault): Promise<Outcome<void>> {
    return this.actor.run(fault, async () => {
      for (const lander of this.landers.values()) {
        const at = await lander.flushForeign(this.world.now);
        if (at !== undefined) this.#at.set(lander.partition, at);
      }
    });
  }
}
