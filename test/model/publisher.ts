import type { PublishResult } from '../../src/definition/refs.ts';
import { unattended } from '../../src/stages/deps.ts';
import { publishRows } from '../../src/stages/publishing/publish.ts';
import { Actor, type Fault, type Outcome } from './actor.ts';
import type { Content } from './universe.ts';
import type { World } from './world.ts';

/** One attempt at publishing a content, on a worker of its own. */
export class Publisher {
  readonly content: Content;
  readonly actor = new Actor();
  readonly world: World;
  /** It stood still at least once. */
  stopped = false;

  constructor(world: World, content: Content) {
    this.world = world;
    this.content = content;
  }

  start(fault?: Fault): Promise<Outcome<PublishResult>> {
    const { universe, setup, prepared } = this.world;
    const { batch, hour, rows } = this.content;
    const { pipeline: base } = universe;
    const pipeline = { ...base, publish: { ...base.publish, batchRows: setup.batchRows } };
    const deps = { store: this.world.storeFor(this.actor), log: this.world.logFor(this.actor) };
    const source = async function* () {
      for (let at = 0; at < rows.length; at += 5) yield rows.slice(at, at + 5);
    };
    return this.actor.run(fault, () =>
      publishRows(deps, { pipeline, hour, prepared, batch, workflowId: `run-${hour}` }, source, unattended),
    );
  }
}
