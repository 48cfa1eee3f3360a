/** What the object store says of an hour, and Temporal of a run that is on its way. */
export const hourStates = ['missing', 'failed', 'stale', 'running', 'present', 'removed'] as const;
/**
 * - `missing`: nothing of it was ever run.
 * - `failed`: it was tried, and no run went through: it failed, was cancelled, or was ended from outside.
 * - `stale`: it is done, and an earlier hour has other keys now than those it was compared with.
 * - `running`: a run of it is on its way.
 * - `present`: it is done.
 * - `removed`: retention has removed it; it does not come back.
 */
export type HourState = (typeof hourStates)[number];

/** Which hours of its range a backfill runs. */
export const backfillChoices = ['notDone', 'missing', 'failed', 'stale', 'all'] as const;
export type BackfillChoice = (typeof backfillChoices)[number];

/** Hours that run are waited for where what is left undone is asked for; `all` runs done hours once more. */
export const chosenStates: Readonly<Record<BackfillChoice, readonly HourState[]>> = {
  notDone: ['missing', 'failed', 'stale', 'running'],
  missing: ['missing'],
  failed: ['failed'],
  stale: ['stale'],
  all: ['missing', 'failed', 'stale', 'running', 'present'],
};

/** `newest`: what people look at first comes first. */
export const backfillOrders = ['oldest', 'newest'] as const;
export type BackfillOrder = (typeof backfillOrders)[number];

/** So many hours a range may span: more than two years. Their list travels with the workflow, 16 bytes each. */
export const MAX_BACKFILL_HOURS = 20_000;
/** So many runs at a time where nothing is said, and at most. A worker cleans two at a time. */
export const DEFAULT_PARALLEL = 4;
export const MAX_PARALLEL = 50;
