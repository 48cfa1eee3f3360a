interface Waiting {
  /** Looked at whenever a turn is free, as readers scroll. */
  readonly rank: () => number;
  readonly go: () => void;
}

/** Lets so many work at a time; of those that wait, the one of the lowest rank comes next. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<Waiting>();

  constructor(most: number) {
    this.#free = most;
  }

  /** Works in its turn; not at all where the signal aborts before that. */
  async take(rank: () => number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (signal.aborted) return;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turn(rank, signal))) return;
    try {
      await work();
    } finally {
      this.#next();
    }
  }

  /** @returns whether it came, before the signal aborted */
  #turn(rank: () => number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const one: Waiting = { rank, go: () => resolve(true) };
      this.#waiting.add(one);
      signal.addEventListener('abort', () => {
        if (this.#waiting.delete(one)) resolve(false);
      });
    });
  }

  #next(): void {
    let first: { readonly one: Waiting; readonly rank: number } | undefined;
    for (const one of this.#waiting) {
      const rank = one.rank();
      if (first === undefined || rank < first.rank) first = { one, rank };
    }
    if (first === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(first.one);
    first.one.go();
  }
}
