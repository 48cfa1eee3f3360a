import { seeded } from '../../test/helpers/mutate.ts';

/** Random numbers that are the same for the same seed. */
export class Chance {
  readonly #below: (n: number) => number;

  constructor(seed: number) {
    this.#below = seeded(seed);
  }

  /** From 0 to below 1. */
  uniform(): number {
    return (this.#below(2 ** 30) + 0.5) / 2 ** 30;
  }

  between(from: number, to: number): number {
    return from + this.uniform() * (to - from);
  }

  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.uniform() * of.length)] as T;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Heavier at the tails than normal numbers: Student's t with five degrees of freedom, of deviation 1. What is five deviations off would be a problem itself. */
  heavy(): number {
    let chi = 0;
    for (let at = 0; at < 5; at++) chi += this.normal() ** 2;
    const found = (this.normal() / Math.sqrt(chi / 5)) * Math.sqrt(3 / 5);
    return Math.abs(found) < 5 ? found : this.heavy();
  }

  /** So many of so many, each with such a chance. */
  binomial(of: number, chance: number): number {
    const spread = Math.sqrt(of * chance * (1 - chance));
    return Math.min(of, Math.max(0, Math.round(of * chance + spread * this.normal())));
  }
}
