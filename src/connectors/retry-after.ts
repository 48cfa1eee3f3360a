/** Nobody is waited for longer than this at a time. */
const LONGEST_WAIT_MS = 30 * 60_000;

/** Milliseconds from a `Retry-After` header, seconds or a date; undefined where it says neither. */
export function waitOf(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}
