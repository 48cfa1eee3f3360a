/** So long an answer is taken for that of whoever asks next. */
const LASTS_MS = 1_000;

/** Whether Temporal answers, for those who may ask without being known: asked once a second at most, however many want to know. */
export class TemporalAnswers {
  readonly #ask: () => Promise<unknown>;
  readonly #told: (error: unknown) => void;
  #last: Promise<boolean> | undefined;
  #lastUntil = 0;
  #silent = false;

  /**
   * @param ask fails where there is no answer, and takes no longer than who waits for it may
   * @param told is told why, once for each time that Temporal goes away: it is for the log, and not for who asks
   */
  constructor(ask: () => Promise<unknown>, told: (error: unknown) => void) {
    this.#ask = ask;
    this.#told = told;
  }

  now(): Promise<boolean> {
    if (this.#last && Date.now() < this.#lastUntil) return this.#last;
    this.#lastUntil = Number.POSITIVE_INFINITY;
    this.#last = this.#look().finally(() => (this.#lastUntil = Date.now() + LASTS_MS));
    return this.#last;
  }

  async #look(): Promise<boolean> {
    try {
      await this.#ask();
      this.#silent = false;
    } catch (error) {
      if (!this.#silent) this.#told(error);
      this.#silent = true;
    }
    return !this.#silent;
  }
}
