import { fromScaled } from '../../formats/decimal.ts';

/** The exact mean as a canonical text, rounded half away from zero at `scale`. Undefined of nothing. */
export function meanText(sum: bigint, count: bigint, scale: number): string | undefined {
  return count === 0n ? undefined : fromScaled(roundedQuotient(sum, count), scale);
}

/** The middle of the values in ascending order: one or the mean of two, rounded as {@link meanText} does. */
export function medianText(middle: readonly bigint[], scale: number): string | undefined {
  const sum = middle.reduce((total, value) => total + value, 0n);
  return meanText(sum, BigInt(middle.length), scale);
}

/** Where the middle of `count` values begins, and how many it has. */
export function middleOf(count: number): { from: number; length: number } {
  return { from: Math.floor((count - 1) / 2), length: count === 0 ? 0 : 2 - (count % 2) };
}

function roundedQuotient(sum: bigint, count: bigint): bigint {
  const magnitude = ((sum < 0n ? -sum : sum) * 2n + count) / (count * 2n);
  return sum < 0n ? -magnitude : magnitude;
}
