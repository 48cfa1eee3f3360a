import { setTimeout as wait } from 'node:timers/promises';

/** Lets in one after the other, of this process. Whoever has waited for long enough goes without. */
export class OneAtATime {
  readonly #patienceMs: number;
  readonly #tooLong: () => Error;
  #earlier: Promise<unknown> = Promise.resolve();

  /** @param patienceMs how long each waits for those before it @param tooLong thrown where that was too long */
  constructor(patienceMs: number, tooLong: () => Error) {
    this.#patienceMs = patienceMs;
    this.#tooLong = tooLong;
  }

  /** @param work is told the milliseconds that it has waited */
  async run<T>(work: (waitedMs: number) => Promise<T>): Promise<T> {
    const { promise: mine, resolve: leave } = Promise.withResolvers<void>();
    const earlier = this.#earlier;
    this.#earlier = Promise.all([earlier, mine]);
    const came = Date.now();
    const over = new AbortController();
    try {
      const first = earlier.then(() => true);
      if (!(await Promise.race([first, wait(this.#patienceMs, false, { signal: over.signal })]))) throw this.#tooLong();
      return await work(Date.now() - came);
    } finally {
      over.abort();
      leave();
    }
  }
}
