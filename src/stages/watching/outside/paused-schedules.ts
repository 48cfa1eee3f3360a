import { durationMs } from '../../../definition/duration.ts';
import type { WatchSettings } from '../../../definition/watch.ts';
import type { PipelineMemory } from './memory.ts';
import type { Verdict } from './problems.ts';
import type { SeenSchedule } from './seen.ts';

export interface PausedNews {
  readonly memory: Pick<PipelineMemory, 'pausedSince'>;
  readonly verdict: Verdict;
}

const rule = 'schedule-paused';

/**
 * A schedule that somebody paused, and perhaps forgot. Temporal does not say since when, so it is counted from the first look that saw it. One whose
 * definition says that it is paused is so on purpose.
 * @param now milliseconds since 1970
 */
export function pausedSchedule(
  { pipeline, definition, paused, note }: SeenSchedule,
  memory: PipelineMemory,
  { after, severity, muted }: WatchSettings,
  now: number,
): PausedNews {
  if (!paused || definition?.schedule.paused === true) {
    const sentence = paused
      ? `The definition of ${pipeline} says that its schedule is paused.`
      : `The schedule of ${pipeline} is not paused any more.`;
    return { memory: {}, verdict: { rule, standing: 'well', sentence } };
  }
  const since = memory.pausedSince ?? new Date(now).toISOString();
  const kept = { memory: { pausedSince: since } };
  if (now - Date.parse(since) < durationMs(after)) {
    return {
      ...kept,
      verdict: { rule, standing: 'well', sentence: `The schedule of ${pipeline} has not been paused for long.` },
    };
  }
  const why =
    note === undefined || note === '' ? 'Nobody left a note' : `The note says: ${note.replace(/[.\s]+$/, '')}`;
  return {
    ...kept,
    verdict: {
      ...{ rule, standing: 'wrong', occurrence: since, severity, muted },
      sentence: `The schedule of ${pipeline} has been paused for more than ${after}, so no hour starts. ${why}. "sluice schedule resume ${pipeline}" lets it go on.`,
      facts: [
        { name: 'Paused since, at the latest', value: since },
        ...(note === undefined || note === '' ? [] : [{ name: 'Note', value: note }]),
      ],
    },
  };
}
