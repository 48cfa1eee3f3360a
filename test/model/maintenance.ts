import { unattended } from '../../src/stages/deps.ts';
import { compactBatch } from '../../src/stages/maintaining/compact.ts';
import { collectGarbage } from '../../src/stages/maintaining/garbage.ts';
import { Actor, type Fault, type Outcome } from './actor.ts';
import { Step, isCode, picked, shown } from './commands.ts';
import type { Model } from './model.ts';
import { stream } from './universe.ts';
import type { World } from './world.ts';

/** A batch's small objects are written as fewer. */
export class Compact extends Step {
  readonly which: number;
  readonly targetBytes: number;
  readonly fault: Fault | undefined;

  constructor(which: number, targetBytes: number, fault?: Fault) {
    super();
    this.which = which;
    this.targetBytes = targetBytes;
    this.fault = fault;
  }

  override check(model: Readonly<Model>): boolean {
    return model.committed.length > 0;
  }

  async act(model: Model, world: World): Promise<void> {
    const content = picked(model.committed, this.which);
    if (!content) return;
    const actor = new Actor();
    const input = { stream, batch: content.batch.batchId, targetBytes: this.targetBytes };
    const outcome = await actor.run(this.fault, () => compactBatch({ store: world.storeFor(actor) }, input));
    if (outcome.kind === 'done' && outcome.value) world.seen.compacted += 1;
    judge(world, actor, outcome);
  }

  override toString(): string {
    return `batch ${this.which} is compacted to ${this.targetBytes} bytes${shown(this.fault)}`;
  }
}

/** Garbage is collected, by the store's clock. */
export class CollectGarbage extends Step {
  readonly fault: Fault | undefined;

  constructor(fault?: Fault) {
    super();
    this.fault = fault;
  }

  async act(_model: Model, world: World): Promise<void> {
    const actor = new Actor();
    world.seen.collections += 1;
    const input = { pipeline: stream, streams: [stream], dryRun: false };
    const outcome = await actor.run(this.fault, () =>
      collectGarbage({ store: world.storeFor(actor) }, input, unattended),
    );
    if (outcome.kind === 'done') {
      world.seen.collected += outcome.value.tallies.reduce((sum, { objects }) => sum + objects, 0);
    }
    judge(world, actor, outcome);
  }

  override toString(): string {
    return `garbage is collected${shown(this.fault)}`;
  }
}

/** A compaction or a collection that stood still goes on, whatever has been written since. */
export class MaintenanceGoesOn extends Step {
  readonly fault: Fault | undefined;

  constructor(fault?: Fault) {
    super();
    this.fault = fault;
  }

  override check({ world }: Readonly<Model>): boolean {
    return world.maintenance.length > 0;
  }

  async act(_model: Model, world: World): Promise<void> {
    const actor = world.maintenance.shift();
    if (!actor) return;
    const outcome = await actor.resume(this.fault);
    // The version that it works on may be superseded for more than a day, and its objects gone.
    if (outcome.kind === 'failed' && isCode(outcome.error, 'ObjectCorrupt')) return;
    judge(world, actor, outcome);
  }

  override toString(): string {
    return `maintenance goes on${shown(this.fault)}`;
  }
}

function judge(world: World, actor: Actor, outcome: Outcome<unknown>): void {
  if (outcome.kind === 'paused') world.maintenance.push(actor);
  if (outcome.kind !== 'failed') return;
  if (!actor.struck || !isCode(outcome.error, 'StoreUnavailable')) throw outcome.error;
}
