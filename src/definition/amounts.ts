const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** A time for people, in sentences: `340 ms`, `8.2 s`, `14 min`, `2 h 5 min`. */
export function spanText(ms: number): string {
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const unit = UNITS[at];
  if (unit === undefined) return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
  const [below, size] = UNITS[at + 1] ?? (['s', 1_000] as const);
  const rest = Math.floor((ms % unit[1]) / size);
  return `${Math.floor(ms / unit[1])} ${unit[0]}${rest === 0 ? '' : ` ${rest} ${below}`}`;
}

/** A number with its thousands marked: `32,735`. */
export const countText = (n: number | bigint): string => n.toLocaleString('en-US');

/** Bytes for people: `812 B`, `3.4 kB`, `120 MB`. */
export function sizeText(bytes: number): string {
  const at = bytes < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const scaled = bytes / 1_000 ** at;
  return `${at > 0 && scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${['B', 'kB', 'MB', 'GB', 'TB'][at]}`;
}

/** `350 kB/s` */
export const rateText = (bytes: number, ms: number): string => `${sizeText((bytes / ms) * 1_000)}/s`;
