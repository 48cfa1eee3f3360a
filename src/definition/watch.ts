import { z } from 'zod';
import { duration } from './duration-schema.ts';
import { severities, type Severity } from './incidents.ts';
import { isMuted, mute } from './monitors.ts';

/** What is looked for from outside of runs, as a definition calls it. */
export const watchChecks = ['runMissed', 'schedulePaused', 'workerGone', 'consumerStuck', 'indexStale'] as const;
export type WatchCheck = (typeof watchChecks)[number];

const check = (after: string, severity: Severity, when: string) =>
  z
    .strictObject({
      after: duration.default(after).describe(`It is told of once it has been so for that long; ${after}.`),
      severity: z.enum(severities).default(severity).describe(`How bad it is; ${severity}.`),
      mute,
    })
    .prefault({})
    .describe(when);

/** What is watched from outside of runs, and how. Nothing needs to be said. */
export const watchSchema = z.strictObject({
  runMissed: check('10m', 'critical', 'A run of a scheduled hour has not started.'),
  schedulePaused: check('1d', 'warning', 'The schedule is paused.'),
  workerGone: check('2m', 'critical', 'No worker serves a queue that the pipeline needs.'),
  consumerStuck: check('10m', 'critical', 'A consumer has records to land, and lands none.'),
  indexStale: check('10m', 'critical', 'An hour has gone through, and the index does not have it.'),
});
/** Every default filled in. */
export type Watch = z.infer<typeof watchSchema>;

/** What holds for one check now. */
export interface WatchSettings {
  readonly after: string;
  readonly severity: Severity;
  /** Nobody is to be told. */
  readonly muted: boolean;
}

/** What a definition says of a check; one of an older version, or none, says nothing. @param now milliseconds since 1970 */
export function watchOf(
  pipeline: { readonly watch?: Watch } | undefined,
  which: WatchCheck,
  now: number,
): WatchSettings {
  const { after, severity, ...settings } = (pipeline?.watch ?? watchSchema.parse({}))[which];
  return { after, severity, muted: isMuted(settings, now) };
}
