/** Text that came from anywhere as one line: no line ends, no control characters, nothing that turns the direction of writing. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
}

/** At most so many characters, the last a mark where there were more. Never half of a character. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, Math.max(0, most - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** `2026-11-24 03:07 UTC` */
export function timeText(iso: string): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? iso : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** How long it is between two times, in its two largest units: `1 d 4 h`. */
export function timeSpan(from: string, to: string): string {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from)) || 0;
  const first = units.findIndex(([, size]) => ms >= size);
  if (first < 0) return 'less than a second';
  const [unit, size] = units[first] ?? units[3];
  const next = units[first + 1];
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  return `${Math.floor(ms / size)} ${unit}${next && rest > 0 ? ` ${rest} ${next[0]}` : ''}`;
}
