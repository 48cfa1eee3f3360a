import type fc from 'fast-check';
import { SluiceError, type ErrorCode } from '../../src/definition/errors.ts';
import type { PublishResult } from '../../src/definition/refs.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { commitHour } from '../../src/stages/landing/hour-record.ts';
import { acceptLoss } from '../../src/stages/landing/losses.ts';
import { Actor, type Fault, type Outcome } from './actor.ts';
import type { Consumer, ConsumerRules } from './consumer.ts';
import { checkCommits, checkSent } from './laws.ts';
import type { Model } from './model.ts';
import { Publisher } from './publisher.ts';
import { stream, type Content } from './universe.ts';
import type { World } from './world.ts';

/** One thing that happens. After each, all that is committed is checked. */
export abstract class Step implements fc.AsyncCommand<Model, World> {
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    await this.act(model, world);
    checkCommits(model, world);
  }

  abstract act(model: Model, world: World): Promise<void>;
  abstract toString(): string;
}

export const shown = (fault: Fault | undefined): string =>
  fault ? ` ${fault.how} ${fault.when} call ${fault.at}` : '';
export const picked = <T>(from: readonly T[], at: number): T | undefined => from[at % from.length];

/** An attempt at publishing. Others of the same batch may stand still meanwhile, and go on later. */
export class Publish extends Step {
  readonly content: number;
  readonly fault: Fault | undefined;

  constructor(content: number, fault?: Fault) {
    super();
    this.content = content;
    this.fault = fault;
  }

  async act(model: Model, world: World): Promise<void> {
    const content = picked(world.universe.contents, this.content);
    if (!content) return;
    const before = model.isCommitted(content) ? world.topic.size : undefined;
    const publisher = new Publisher(world, content);
    model.begun.add(content);
    judgePublisher(publisher, await publisher.start(this.fault));
    if (before !== undefined && world.topic.size !== before) throw new Error('a committed batch was sent again');
  }

  override toString(): string {
    return `publish ${this.content}${shown(this.fault)}`;
  }
}

/** A publisher that stood still goes on, whoever has published its batch since. */
export class PublisherGoesOn extends Step {
  readonly which: number;
  readonly fault: Fault | undefined;

  constructor(which: number, fault?: Fault) {
    super();
    this.which = which;
    this.fault = fault;
  }

  override check({ world }: Readonly<Model>): boolean {
    return world.publishers.length > 0;
  }

  async act(_model: Model, world: World): Promise<void> {
    world.seen.wentOn += 1;
    const [publisher] = world.publishers.splice(this.which % world.publishers.length, 1);
    if (publisher) judgePublisher(publisher, await publisher.actor.resume<PublishResult>(this.fault));
  }

  override toString(): string {
    return `publisher ${this.which} goes on${shown(this.fault)}`;
  }
}

export function judgePublisher(publisher: Publisher, outcome: Outcome<PublishResult>): void {
  const { content, actor, world } = publisher;
  if (outcome.kind === 'paused') {
    publisher.stopped = true;
    world.publishers.push(publisher);
  }
  if (outcome.kind === 'done' && outcome.value.rows !== content.rows.length) {
    throw new Error(`publishing ${content.name} counted ${outcome.value.rows} rows`);
  }
  if (outcome.kind === 'done') checkSent(content, world);
  if (outcome.kind !== 'failed') return;
  if (actor.struck && isCode(outcome.error, 'PublishInterrupted', 'StoreUnavailable')) return;
  // It stood still for so long that the consumer may have closed its batch.
  if (isCode(outcome.error, 'PublishInterrupted') && publisher.stopped) return;
  // It had asked where the log begins when it was stopped, and reads it now.
  if (isCode(outcome.error, 'LogTruncated') && publisher.stopped) return;
  throw outcome.error;
}

/** A consumer begins in one of two slots; who was there is killed, wherever it was. */
export class ConsumerStarts extends Step {
  readonly slot: 0 | 1;
  readonly rules: ConsumerRules;
  readonly fault: Fault | undefined;

  constructor(slot: 0 | 1, rules: ConsumerRules, fault?: Fault) {
    super();
    this.slot = slot;
    this.rules = rules;
    this.fault = fault;
  }

  async act(_model: Model, world: World): Promise<void> {
    const truncated = world.truncated();
    const consumer = world.consumer(this.rules);
    const outcome = await consumer.start(this.fault);
    world.consumers[this.slot] = judgeConsumer(consumer, outcome);
    if (outcome.kind === 'done' && truncated.length > 0) throw new Error('records were skipped without a word');
  }

  override toString(): string {
    const { maxRecords, maxBytes, landsForeign } = this.rules;
    const foreign = landsForeign ? ', foreign rows' : '';
    return `consumer ${this.slot} starts (${maxRecords} records, ${maxBytes} bytes${foreign})${shown(this.fault)}`;
  }
}

/** A consumer takes some records of a partition, or idles; one that stood still goes on where it was. */
export class ConsumerTakes extends Step {
  readonly slot: 0 | 1;
  readonly partition: number;
  /** 0: it idles. */
  readonly count: number;
  readonly fault: Fault | undefined;

  constructor(slot: 0 | 1, partition: number, count: number, fault?: Fault) {
    super();
    this.slot = slot;
    this.partition = partition;
    this.count = count;
    this.fault = fault;
  }

  override check({ world }: Readonly<Model>): boolean {
    return world.consumers[this.slot] !== undefined;
  }

  async act(_model: Model, world: World): Promise<void> {
    const consumer = world.consumers[this.slot];
    if (consumer) world.consumers[this.slot] = judgeConsumer(consumer, await this.#step(consumer));
  }

  #step(consumer: Consumer): Promise<Outcome<void>> {
    if (consumer.actor.paused) return consumer.actor.resume<void>(this.fault);
    if (this.count === 0) return consumer.idle(this.fault);
    return consumer.feed(this.partition % Math.max(1, consumer.landers.size), this.count, this.fault);
  }

  override toString(): string {
    return `consumer ${this.slot} takes ${this.count} of partition ${this.partition}${shown(this.fault)}`;
  }
}

/** @returns the consumer, if it lives on */
export function judgeConsumer(consumer: Consumer, outcome: Outcome<void>): Consumer | undefined {
  if (outcome.kind === 'paused') consumer.stopped = true;
  if (outcome.kind === 'done' || outcome.kind === 'paused') return consumer;
  if (outcome.kind === 'crashed') return undefined;
  if (consumer.actor.struck && isCode(outcome.error, 'StoreUnavailable')) return undefined;
  const { topic } = consumer.world;
  if (consumer.world.mayHalt(outcome.error)) return undefined;
  // Whoever stood still may have a head before which others have since given up what was gone.
  const behind = [...consumer.landers.values()].some(
    ({ partition, position }) => position < (topic.partitions[partition]?.low ?? 0),
  );
  const gone = behind || consumer.stopped || consumer.world.truncated().length > 0;
  if (isCode(outcome.error, 'LogTruncated') && gone) return undefined;
  throw outcome.error;
}

/** An hour is made to consist of a batch that has landed: for the first time, of another one, or of an earlier one again. */
export class CommitHour extends Step {
  readonly which: number;
  readonly fault: Fault | undefined;

  constructor(which: number, fault?: Fault) {
    super();
    this.which = which;
    this.fault = fault;
  }

  override check(model: Readonly<Model>): boolean {
    return model.committed.length > 0;
  }

  async act(model: Model, world: World): Promise<void> {
    const content = picked(model.committed, this.which);
    if (content) await commit(model, world, content, this.fault);
  }

  override toString(): string {
    return `hour becomes ${this.which}${shown(this.fault)}`;
  }
}

export async function commit(model: Model, world: World, content: Content, fault?: Fault): Promise<void> {
  const { hour, batch } = content;
  const actor = new Actor();
  const deps = { store: world.storeFor(actor) };
  const outcome = await actor.run(fault, async () => {
    const landed = await findLanded(deps, { stream, batchId: batch.batchId });
    if (!landed) throw new Error(`${content.name} has a record, and is not found to have landed`);
    return commitHour(deps, { stream, hour, rawSha: 'r', definitionSha: 'd', content: { landed } });
  });
  const before = outcome.kind === 'done' ? [] : (model.newest.get(hour) ?? [undefined]);
  model.newest.set(hour, new Set([...before, batch.batchId]));
  model.wanted.set(hour, content);
  if (outcome.kind === 'paused') world.commits.push({ hour, batchId: batch.batchId, actor });
  if (outcome.kind === 'failed' && !(actor.struck && isCode(outcome.error, 'StoreUnavailable'))) throw outcome.error;
}

/** A run that stood still while it made an hour goes on, whatever the hour has become since. */
export class CommitGoesOn extends Step {
  override check({ world }: Readonly<Model>): boolean {
    return world.commits.length > 0;
  }

  async act(model: Model, world: World): Promise<void> {
    const standing = world.commits.shift();
    if (!standing) return;
    const { hour, batchId, actor } = standing;
    const outcome = await actor.resume();
    if (outcome.kind === 'failed') throw outcome.error;
    model.newest.set(hour, new Set([...(model.newest.get(hour) ?? []), batchId]));
  }

  override toString(): string {
    return 'who makes an hour goes on';
  }
}

/** A person gives up what is gone of a partition, and some records more. */
export class AcceptLoss extends Step {
  readonly partition: number;
  readonly more: number;
  readonly fault: Fault | undefined;

  constructor(partition: number, more: number, fault?: Fault) {
    super();
    this.partition = partition;
    this.more = more;
    this.fault = fault;
  }

  async act(_model: Model, world: World): Promise<void> {
    const partition = this.partition % world.topic.partitions.length;
    const { records, low } = world.topic.partitions[partition] ?? { records: [], low: 0 };
    const from = world.positionOf(partition);
    const to = Math.min(Math.max(low, from) + this.more, records.length) - 1;
    if (to >= from) await giveUp(world, partition, from, to, this.fault);
  }

  override toString(): string {
    return `what is gone of partition ${this.partition} is given up, and ${this.more} more${shown(this.fault)}`;
  }
}

export async function giveUp(world: World, partition: number, from: number, to: number, fault?: Fault): Promise<void> {
  const actor = new Actor();
  const deps = { store: world.storeFor(actor), log: world.logFor(actor) };
  const consume = world.consumer({ maxRecords: 7, maxBytes: 1_000, landsForeign: false }).input();
  const outcome = await actor.run(fault, () =>
    acceptLoss(deps, { consume, partition, from: String(from), to: String(to), reason: 'model' }, world.now),
  );
  if (outcome.kind === 'failed' && !(actor.struck && isCode(outcome.error, 'StoreUnavailable'))) throw outcome.error;
}

export function isCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof SluiceError && codes.includes(error.code);
}
