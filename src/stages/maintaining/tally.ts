/** So many keys are named of each kind. */
const NAMED = 5;

/** Objects of one kind that were, or would be, written or removed. */
export interface Tally {
  /** `objects of older versions of batch records`, after the number. */
  readonly what: string;
  readonly objects: number;
  readonly bytes: number;
  /** The first few, in the order in which they were found. */
  readonly first: readonly string[];
}

/** Counts objects by kind. */
export class Tallies {
  readonly #kinds = new Map<string, { what: string; objects: number; bytes: number; first: string[] }>();

  add(what: string, { key, bytes }: { readonly key: string; readonly bytes: number }): void {
    const tally = this.#kinds.get(what) ?? { what, objects: 0, bytes: 0, first: [] };
    tally.objects += 1;
    tally.bytes += bytes;
    if (tally.first.length < NAMED) tally.first.push(key);
    this.#kinds.set(what, tally);
  }

  get all(): Tally[] {
    return [...this.#kinds.values()].map((tally) => ({ ...tally, first: [...tally.first] }));
  }
}
