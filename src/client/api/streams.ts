import { RequestError } from './problem.ts';

/** So many streams at a time. */
export interface StreamLimits {
  readonly all: number;
  readonly perAddress: number;
}

/** A stream of events looks at its run twice a second or so, for as long as the run takes; an export is read from the store. */
export const STREAMS: StreamLimits = { all: 200, perAddress: 50 };

/** Places for what goes on as long as there is something to tell, which the number of requests a minute does not bound. */
export class Streams {
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, number>();

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place. @returns gives it back; may be called twice
   * @throws RequestError 503 where all are taken, 429 where those of the address are
   */
  take(address: string): () => void {
    const own = this.#open.get(address) ?? 0;
    if (own >= this.#limits.perAddress) {
      const message = `This address has ${own} streams open already: close one of them, or try again later.`;
      throw new RequestError(429, 'TooManyRequests', message);
    }
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (all >= this.#limits.all)
      throw new RequestError(503, 'TooManyRequests', `This API has ${all} streams open already: try again later.`);
    this.#open.set(address, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left > 0) this.#open.set(address, left);
      else this.#open.delete(address);
    };
  }
}
