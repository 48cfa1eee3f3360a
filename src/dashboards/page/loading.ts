/** Loads one thing at a time; what it is, its name says: a path, say. */
export class Loading {
  readonly #life: AbortSignal;
  readonly #load: (what: string, signal: AbortSignal) => Promise<void>;
  #underway: { readonly what: string; readonly asked: AbortController; readonly done: Promise<void> } | undefined;

  /**
   * @param life aborts once nothing is wanted any more
   * @param load throws nothing, and does nothing with what it finds after its signal was aborted
   */
  constructor(life: AbortSignal, load: (what: string, signal: AbortSignal) => Promise<void>) {
    this.#life = life;
    this.#load = load;
    life.addEventListener('abort', () => this.#underway?.asked.abort());
  }

  /** Loads it, unless just that is under way: begun anew each time, what is slow would never come. */
  again(what: string): Promise<void> {
    return this.#underway?.what === what ? this.#underway.done : this.anew(what);
  }

  /** Loads it, and gives up what is under way: an older answer must not follow a newer one. */
  anew(what: string): Promise<void> {
    this.#underway?.asked.abort();
    if (this.#life.aborted) return Promise.resolve();
    const asked = new AbortController();
    const done = this.#load(what, asked.signal).finally(() => {
      if (this.#underway?.asked === asked) this.#underway = undefined;
    });
    this.#underway = { what, asked, done };
    return done;
  }
}
