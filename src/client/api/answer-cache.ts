import { RequestError } from './problem.ts';

interface Kept {
  readonly answer: Promise<unknown>;
  /** Infinity as long as it is waited for. */
  until: number;
}

/**
 * Answers that are asked for again and again. Who asks for what another one has just been told, or waits for, gets the same answer. One that
 * failed is not kept.
 */
export class AnswerCache {
  readonly #freshMs: number;
  readonly #most: number;
  readonly #atOnce: number;
  /** In the order in which they were asked for, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #asking = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param freshMs for so long after it came an answer is given again
   * @param most so many are kept, those asked for last; of questions that wait for their turn there are no more
   * @param atOnce so many are asked at a time
   */
  constructor(freshMs: number, most: number, atOnce = Number.POSITIVE_INFINITY) {
    this.#freshMs = freshMs;
    this.#most = most;
    this.#atOnce = atOnce;
  }

  /** The answer of this key. @param make asks for it @throws RequestError 503 where too many questions wait already */
  get<T>(key: string, make: () => Promise<T>): Promise<T> {
    const now = Date.now();
    const known = this.#kept.get(key);
    if (known && known.until > now) return known.answer as Promise<T>;
    this.#kept.delete(key);
    this.#makeRoom(now);
    const answer = this.#inTurn(make);
    const entry: Kept = { answer, until: Number.POSITIVE_INFINITY };
    this.#kept.set(key, entry);
    answer.then(
      () => (entry.until = Date.now() + this.#freshMs),
      () => {
        if (this.#kept.get(key) === entry) this.#kept.delete(key);
      },
    );
    return answer;
  }

  /** What is waited for stays, however much it is. */
  #makeRoom(now: number): void {
    for (const [key, { until }] of this.#kept) if (until <= now) this.#kept.delete(key);
    for (const [key, { until }] of this.#kept) {
      if (this.#kept.size < this.#most) return;
      if (until !== Number.POSITIVE_INFINITY) this.#kept.delete(key);
    }
  }

  async #inTurn<T>(make: () => Promise<T>): Promise<T> {
    if (this.#asking < this.#atOnce) this.#asking += 1;
    else {
      if (this.#waiting.length >= this.#most) {
        throw new RequestError(503, 'TooManyRequests', 'Too much is asked of Elasticsearch at once: try again later.');
      }
      // Who ends hands its turn on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await make();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#asking -= 1;
      else next();
    }
  }
}
