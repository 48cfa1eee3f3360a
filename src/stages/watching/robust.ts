/** The middle of ascending numbers; the mean of the two in the middle. NaN where there are none. */
export function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(sorted, half) : (at(sorted, half - 1) + at(sorted, half)) / 2;
}

export function medianOf(values: ArrayLike<number>): number {
  return middleOf(new Float64Array(values).sort());
}

/** The value that so large a share of ascending numbers does not exceed (nearest rank). */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  return at(sorted, Math.max(0, Math.ceil(share * sorted.length) - 1));
}

/** The middle of all ascending numbers but the one at a rank. */
export function middleWithout(sorted: ArrayLike<number>, rank: number): number {
  const rest = sorted.length - 1;
  const other = (position: number): number => at(sorted, position < rank ? position : position + 1);
  const half = rest >> 1;
  return rest % 2 === 1 ? other(half) : (other(half - 1) + other(half)) / 2;
}

const at = (values: ArrayLike<number>, position: number): number => values[position] ?? NaN;
