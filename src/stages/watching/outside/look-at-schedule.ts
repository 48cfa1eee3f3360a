import type { Clearing } from '../../../definition/incidents.ts';
import { watchOf } from '../../../definition/watch.ts';
import type { PipelineMemory } from './memory.ts';
import { missedRuns, type MissedNews } from './missed-runs.ts';
import { pausedSchedule } from './paused-schedules.ts';
import type { Verdict } from './problems.ts';
import type { SeenSchedule } from './seen.ts';
import type { World } from './world.ts';

export interface ScheduleNews extends Omit<MissedNews, 'memory'> {
  readonly memory: PipelineMemory;
  readonly verdict: Verdict;
}

export async function lookAtSchedule(
  world: Pick<World, 'ran'>,
  schedule: SeenSchedule,
  memory: PipelineMemory,
  { now, lookingSince, waits }: { readonly now: number; readonly lookingSince: number; readonly waits: boolean },
): Promise<ScheduleNews> {
  const { pipeline, definition } = schedule;
  const paused = pausedSchedule(schedule, memory, watchOf(definition, 'schedulePaused', now), now);
  const { judgedTo, times, missed, missedAt, pending, counts, skips } = memory;
  const runs = await missedRuns({
    ...{ schedule, now, lookingSince, waits },
    memory: {
      ...(judgedTo === undefined ? {} : { judgedTo }),
      ...(times === undefined ? {} : { times }),
      ...(missed ? { missed } : {}),
      ...(missedAt === undefined ? {} : { missedAt }),
      ...(pending ? { pending } : {}),
      ...(skips ? { skips } : {}),
      ...(counts ? { counts } : {}),
    },
    settings: watchOf(definition, 'runMissed', now),
    ran: (hour) => world.ran(pipeline, hour),
  });
  return { ...runs, memory: { ...runs.memory, ...paused.memory }, verdict: paused.verdict };
}

const ofSchedules = ['schedule-paused', 'index-stale'] as const;

/** What is over where a pipeline has no schedule any more. @param at ISO 8601 */
export function withoutSchedule(
  pipeline: string,
  { open = [], missed = [] }: PipelineMemory,
  at: string,
): { readonly memory: PipelineMemory; readonly clearings: readonly Clearing[] } {
  const sentence = `${pipeline} has no schedule any more.`;
  const over = ofSchedules.filter((rule) => open.some((one) => one.rule === rule));
  const rules = [...over, ...(missed.length > 0 ? (['run-missed'] as const) : [])];
  return {
    memory: { open: open.filter(({ rule }) => !ofSchedules.some((one) => one === rule)) },
    clearings: rules.map((rule) => ({ pipeline, rule, at, sentence })),
  };
}
