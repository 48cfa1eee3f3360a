import { middleOf, quantileOf } from './robust.ts';

/** Makes the median absolute deviation what a standard deviation is where values are normal. */
const MAD_TO_SIGMA = 1.4826;
/** The tail begins where a tenth of the values lies beyond. */
const TAIL_FROM = 0.9;
/** So many of the largest deviations say nothing of the tail: problems that nobody noticed are among them. */
const TRIMMED = 0.005;
/** What trimming takes off the mean of a tail. */
const TRIMMING = 1.15;
/** The mean of a normal tail beyond its 90 %, in standard deviations. */
const NORMAL_TAIL = 0.44;
/** With few values, what they say of the tail is itself uncertain. */
const FEW = 20;

/** How many standard deviations normal values exceed with such a chance, or a little more. */
export const sigmasOf = (chance: number): number => Math.sqrt(2 * Math.log(1 / chance));

export interface Limit {
  /** How far values usually are from what is expected: 1.48 times the median deviation. */
  readonly spread: number;
  /** A deviation beyond this has about the chance that was asked for. */
  readonly limit: number;
  /** The same for one that is the second in a row: two of such size are as improbable, even where one makes the next more probable. */
  readonly again: number;
}

/** Were runs independent, half would do. */
const AGAIN = 0.6;

/**
 * How large a deviation may become, from those that were seen. A median deviation says what is usual, but not how heavy the tail is; so the tail is taken to fall
 * off exponentially, as fast as it was seen to, and never faster than a normal one. The largest that was seen bounds that from above: of two kinds of values, most
 * of them alike and a few far off, the tail is not as long as those few make it look.
 * @param deviations sizes, sorted ascending, each against an expectation that was made without it
 * @param chance of being wrong about one value
 */
export function limitOf(deviations: Float64Array, chance: number): Limit {
  const { length } = deviations;
  const spread = MAD_TO_SIGMA * middleOf(deviations);
  const from = quantileOf(deviations, TAIL_FROM);
  const first = Math.ceil(TAIL_FROM * length);
  const end = length - Math.floor(TRIMMED * length);
  let sum = 0;
  for (let at = first; at < end; at++) sum += (deviations[at] ?? 0) - from;
  const seen = end > first ? (sum / (end - first)) * TRIMMING : 0;
  const fall = Math.max(seen, NORMAL_TAIL * spread);
  const largest = (deviations[length - 1] ?? 0) / Math.log(Math.max(Math.E, length));
  const at = (probability: number): number => {
    const tail = from + fall * Math.log((1 - TAIL_FROM) / probability);
    const bounded = Math.min(tail, largest * Math.log(1 / probability));
    return Math.max(bounded, spread * sigmasOf(probability)) * Math.sqrt(1 + FEW / length);
  };
  return { spread, limit: at(chance), again: at(Math.max(chance, Math.min(0.01, chance ** AGAIN))) };
}
