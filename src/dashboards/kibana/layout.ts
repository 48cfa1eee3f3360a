/** Kibana’s grid has so many columns. */
export const COLUMNS = 48;

/** A place in the grid, in columns and rows. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/**
 * A place for each panel: from left to right, and each as far up as it fits.
 * @throws RangeError where a panel is wider than the grid, or has no size
 */
export function layOut(sizes: readonly { readonly w: number; readonly h: number }[]): Place[] {
  /** The first free row of each column. */
  const free = Array.from({ length: COLUMNS }, () => 0);
  return sizes.map(({ w, h }) => {
    if (!Number.isInteger(w) || !Number.isInteger(h) || w < 1 || w > COLUMNS || h < 1) {
      throw new RangeError(`a panel cannot be ${w} columns by ${h} rows`);
    }
    let best = { x: 0, y: Infinity };
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      const y = Math.max(...free.slice(x, x + w));
      if (y < best.y) best = { x, y };
    }
    free.fill(best.y + h, best.x, best.x + w);
    return { ...best, w, h };
  });
}
