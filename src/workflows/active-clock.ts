import { condition } from '@temporalio/workflow';

/** Time that passes, but not while it is held: what a run waits for on purpose is not its own slowness. */
export class ActiveClock {
  #before = 0;
  #since = Date.now();
  #held = false;

  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#before = this.ms;
    this.#since = Date.now();
    this.#held = held;
  }

  /** Milliseconds that it ran for. */
  get ms(): number {
    return this.#held ? this.#before : this.#before + Date.now() - this.#since;
  }

  /** Resolves when {@link ms} is so far. @param summary what the Web UI calls the timer */
  async reach(ms: number, summary: string): Promise<void> {
    for (let left = ms - this.ms; left > 0; left = ms - this.ms) {
      if (this.#held) await condition(() => !this.#held);
      else await condition(() => this.#held, left, { summary });
    }
  }
}
