const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90m` → milliseconds. Kept apart from the schemas, so that workflow code has it without them. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a duration`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
