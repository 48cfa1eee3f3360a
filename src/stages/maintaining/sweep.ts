import { failPoint } from '../../connectors/fail-point.ts';
import type { Store } from '../../connectors/object-store.ts';
import { countText } from '../../definition/amounts.ts';
import type { StageContext } from '../deps.ts';
import { Tallies, type Tally } from './tally.ts';

/** What one request may remove. */
const AT_ONCE = 1_000;

/** Removes objects, a thousand at once, and counts them; in a dry run it counts alone. */
export class Sweep {
  readonly #store: Pick<Store, 'remove'>;
  readonly #dryRun: boolean;
  readonly #ctx: StageContext;
  readonly #tallies = new Tallies();
  #waiting: string[] = [];
  #objects = 0;

  constructor(store: Pick<Store, 'remove'>, dryRun: boolean, ctx: StageContext) {
    this.#store = store;
    this.#dryRun = dryRun;
    this.#ctx = ctx;
  }

  async take(what: string, object: { readonly key: string; readonly bytes: number }): Promise<void> {
    this.#tallies.add(what, object);
    this.#objects += 1;
    if (this.#dryRun) return;
    this.#waiting.push(object.key);
    if (this.#waiting.length >= AT_ONCE) await this.flush();
  }

  /** Removes what waits. Between kinds that must go one after the other. */
  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    await failPoint('gc:before-remove');
    this.#ctx.signal.throwIfAborted();
    await this.#store.remove(this.#waiting);
    this.#waiting = [];
    this.#ctx.progress({ note: `removed ${countText(this.#objects)} objects` });
  }

  get tallies(): Tally[] {
    return this.#tallies.all;
  }
}
