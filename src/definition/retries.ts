import type { Pipeline } from './pipeline.ts';

/** How a stage is tried. */
export type StageRetries = Omit<Pipeline['retries'], 'stages'>;

/** What holds for a stage: its own retries as far as it has some, else those of all. */
export function retriesOf({ stages, ...all }: Pipeline['retries'], stage: string): StageRetries {
  const own = Object.entries(stages?.[stage as keyof typeof stages] ?? {}).filter(([, value]) => value !== undefined);
  return { ...all, ...Object.fromEntries(own) };
}
