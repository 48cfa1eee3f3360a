import { keys } from '../../src/definition/names.ts';
import { stream, type Content } from './universe.ts';
import type { World } from './world.ts';

/** What should be true of the world, whatever became of the processes in it. */
export class Model {
  readonly world: World;
  /** Contents that somebody began to publish: each is to land in the end. */
  readonly begun = new Set<Content>();
  /** What each hour was made last, and is to be in the end. */
  readonly wanted = new Map<string, Content>();
  /** What may be the newest of an hour now, undefined being nothing yet; several where a process died on the way. */
  readonly newest = new Map<string, Set<string | undefined>>();

  constructor(world: World) {
    this.world = world;
  }

  isCommitted({ batch }: Content): boolean {
    return this.world.bucket.has(keys.batchRecord(stream, batch.batchId, 1));
  }

  get committed(): Content[] {
    return [...this.begun].filter((content) => this.isCommitted(content));
  }
}
