import { watchOf } from '../../../definition/watch.ts';
import type { NeedsWorkers } from './gone-workers.ts';
import type { PipelineMemory } from './memory.ts';
import type { SeenSchedule } from './seen.ts';

/** Pipelines that need workers now: those that are scheduled, and those of which something is on its way. */
export function needing(
  schedules: readonly SeenSchedule[],
  memories: ReadonlyMap<string, PipelineMemory>,
  onTheirWay: readonly { readonly pipeline: string }[],
  now: number,
): NeedsWorkers[] {
  const starting = schedules.filter((one) => startsMore(one, memories.get(one.pipeline)));
  const names = new Set([...starting, ...onTheirWay].map(({ pipeline }) => pipeline));
  const definitions = new Map(schedules.map(({ pipeline, definition }) => [pipeline, definition]));
  return [...names].toSorted().map((name) => {
    const definition = definitions.get(name);
    return {
      name,
      ...(definition ? { alerts: definition.alerts } : {}),
      settings: watchOf(definition, 'workerGone', now),
    };
  });
}

/** Past its end, its last hour may still wait for a worker. */
function startsMore({ paused, remaining, definition }: SeenSchedule, { judgedTo }: PipelineMemory = {}): boolean {
  const { endAt } = definition?.schedule ?? {};
  const isOver = endAt !== undefined && judgedTo !== undefined && Date.parse(judgedTo) > Date.parse(endAt);
  return !paused && remaining !== 0 && !isOver;
}
