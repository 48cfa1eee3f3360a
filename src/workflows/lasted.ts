const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A time in its two largest units: `2 d 3 h`, `14 min`, `8 s`. @param ms milliseconds */
export function lastedText(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1_000)) * 1_000;
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return '0 s';
  let rest = whole;
  return units
    .slice(first, first + 2)
    .map(([unit, size]) => {
      const n = Math.floor(rest / size);
      rest -= n * size;
      return [n, unit] as const;
    })
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}
