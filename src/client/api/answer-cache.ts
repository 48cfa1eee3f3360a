/**
 * Answers that are asked for again and again. Who asks for what another one has just been told, or waits for, gets the same answer. One that
 * failed is not kept.
 */
export class AnswerCache {
  readonly #freshMs: number;
  readonly #most: number;
  /** In the order in which they were asked for, the oldest first. */
  readonly #kept = new Map<string, { readonly answer: Promise<unknown>; readonly until: number }>();

  /** @param freshMs for so long an answer is given again @param most so many are kept, those asked for last */
  constructor(freshMs: number, most: number) {
    this.#freshMs = freshMs;
    this.#most = most;
  }

  /** The answer of this key. @param make asks for it */
  get<T>(key: string, make: () => Promise<T>): Promise<T> {
    const now = Date.now();
    const known = this.#kept.get(key);
    if (known && known.until > now) return known.answer as Promise<T>;
    this.#kept.delete(key);
    for (const [old, { until }] of this.#kept) {
      if (until > now && this.#kept.size < this.#most) break;
      this.#kept.delete(old);
    }
    const answer = make();
    const entry = { answer, until: now + this.#freshMs };
    this.#kept.set(key, entry);
    answer.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key);
    });
    return answer;
  }
}
