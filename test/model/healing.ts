import type { PublishResult } from '../../src/definition/refs.ts';
import { findLanded } from '../../src/stages/landing/batch-record.ts';
import { GRACE_MS } from '../../src/stages/maintaining/grace.ts';
import { commit, giveUp, isCode, Step } from './commands.ts';
import { Actor } from './actor.ts';
import type { Consumer } from './consumer.ts';
import { checkChains, checkCommits, checkSent, type Landed } from './laws.ts';
import { CollectGarbage, Compact } from './maintenance.ts';
import type { Model } from './model.ts';
import { Publisher } from './publisher.ts';
import { epoch, stream, type Content } from './universe.ts';
import type { World } from './world.ts';

/** How a sequence ended once everything that had gone wrong was over. */
export interface Ending extends Landed, Readonly<World['seen']> {
  /** Batches that landed. */
  readonly batches: number;
  /** Batches that lost rows to a range given up, and were published anew. */
  readonly publishedAnew: number;
}

/** Each round of it gives up what is gone, and publishes what was lost with that. */
const ROUNDS = 4;

/**
 * All faults are over: every process that was there is killed, a new publisher finishes each batch, a new consumer lands all there is,
 * and each hour is made what it was to be. Then everything is checked that must be true in the end.
 */
export async function heal(model: Model, world: World): Promise<Ending> {
  world.publishers.length = 0;
  world.commits.length = 0;
  world.maintenance.length = 0;
  world.consumers.fill(undefined);
  let publishedAnew = 0;
  let open = [...model.begun];
  for (let round = 0; open.length > 0; round += 1) {
    if (round > ROUNDS) throw new Error(`${open.map(({ name }) => name).join()} does not land`);
    if (round > 0) publishedAnew += open.length;
    const published: [Content, PublishResult][] = [];
    for (const content of open) published.push([content, await publish(world, content)]);
    await landAll(world);
    checkCommits(model, world);
    open = [];
    for (const [content, result] of published) if (!(await hasLanded(world, content, result))) open.push(content);
  }
  await checkNothingSentAgain(model, world);
  for (const content of model.wanted.values()) await commit(model, world, content);
  const records = checkCommits(model, world);
  if (records !== model.begun.size) throw new Error(`${records} of ${model.begun.size} batches have a record`);
  const landed = checkChains(world);
  if (world.setup.maintained) await maintain(model, world);
  return { ...landed, ...world.seen, batches: model.begun.size, publishedAnew };
}

/** Compaction and, when its grace is over, gc: readers see the same, and what was published is known to be. */
async function maintain(model: Model, world: World): Promise<void> {
  for (const at of model.committed.keys()) await new Compact(at, 1_000_000).run(model, world);
  world.now += GRACE_MS + 1;
  await new CollectGarbage().run(model, world);
  await checkNothingSentAgain(model, world);
  await landAll(world);
  checkCommits(model, world);
  checkChains(world);
}

async function publish(world: World, content: Content): Promise<PublishResult> {
  const outcome = await new Publisher(world, content).start();
  if (outcome.kind !== 'done') throw failure(outcome);
  checkSent(content, world);
  return outcome.value;
}

/** @returns false where rows of it were given up, so that the hour is to be run again */
async function hasLanded(world: World, content: Content, { spans }: PublishResult): Promise<boolean> {
  const store = world.storeFor(new Actor());
  const input = { stream, batchId: content.batch.batchId, ...(spans ? { published: { epoch, spans } } : {}) };
  try {
    if (await findLanded({ store }, input)) return true;
  } catch (error) {
    if (isCode(error, 'RowsUnaccounted')) return false;
    throw error;
  }
  throw new Error(`${content.name} was published and has not landed`);
}

/**
 * A new consumer takes all there is. Where records are gone it must say so, and a person gives those up; so where it sees a hole between two
 * attempts at a batch.
 */
async function landAll(world: World): Promise<void> {
  const rules = { maxRecords: 7, maxBytes: 1_000_000, landsForeign: true };
  for (const partition of world.truncated()) {
    const refused = await world.consumer(rules).start();
    if (refused.kind !== 'failed' || !isCode(refused.error, 'LogTruncated')) {
      throw new Error('records were skipped without a word');
    }
    world.seen.truncated += 1;
    const low = world.topic.partitions[partition]?.low ?? 0;
    await giveUp(world, partition, world.positionOf(partition), low - 1);
  }
  for (let rounds = 0; ; rounds += 1) {
    const consumer = world.consumer(rules);
    const halted = await land(consumer);
    if (!halted) return;
    const { error, partition } = halted;
    world.seen.halted += 1;
    if (!world.mayHalt(error) || rounds > 100) throw error;
    await giveUp(world, partition, world.positionOf(partition), world.positionOf(partition));
  }
}

/** A new consumer takes all there is now, whoever else believes to be the only one. */
export class EverythingLands extends Step {
  async act(_model: Model, world: World): Promise<void> {
    await landAll(world);
  }

  override toString(): string {
    return 'everything lands';
  }
}

/** @returns where it halts, and why, if it does */
async function land(consumer: Consumer): Promise<{ readonly partition: number; readonly error: unknown } | undefined> {
  const started = await consumer.start();
  if (started.kind !== 'done') throw failure(started);
  for (const partition of consumer.landers.keys()) {
    for (let rounds = 0; consumer.behind(partition); rounds += 1) {
      const outcome = await consumer.feed(partition, 5);
      if (outcome.kind === 'failed') return { partition, error: outcome.error };
      if (rounds > 1_000) throw new Error(`partition ${partition} does not come to its end`);
    }
  }
  const idle = await consumer.idle();
  if (idle.kind !== 'done') throw failure(idle);
  return undefined;
}

async function checkNothingSentAgain(model: Model, world: World): Promise<void> {
  const before = world.topic.size;
  for (const content of model.begun) {
    if (!(await publish(world, content)).committedBefore) throw new Error(`${content.name} is not known as committed`);
  }
  if (world.topic.size !== before) throw new Error('a committed batch was sent again');
}

function failure(outcome: { readonly kind: string; readonly error?: unknown }): unknown {
  return outcome.error ?? new Error(`a step without a fault ended as ${outcome.kind}`);
}
