import { durationMs } from '../../../definition/duration.ts';
import { sentenceOf } from '../../../definition/errors.ts';
import { mainDataset } from '../../../definition/names.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';
import { streamOf } from '../../../definition/streams.ts';
import { watchOf } from '../../../definition/watch.ts';
import { inGroups } from '../../in-groups.ts';
import type { PipelineMemory } from './memory.ts';
import type { SeenSchedule } from './seen.ts';
import { staleIndex, type StaleNews } from './stale-index.ts';
import type { World } from './world.ts';

/** Temporal's list is a moment behind: what ended shortly before it was asked may not have been in it. */
const OVERLAPS_MS = 120_000;

/**
 * The indices of the main data sets of all pipelines that have one and have put rows into it, by one question to Temporal and one to the index.
 * @param endsFrom since when what went through is to be asked for. ISO 8601
 */
export async function lookAtIndices(
  world: Pick<World, 'wentThrough' | 'indexed' | 'isDone'>,
  schedules: readonly SeenSchedule[],
  memories: ReadonlyMap<string, PipelineMemory>,
  endsFrom: string,
  now: number,
): Promise<readonly (StaleNews & { readonly pipeline: string })[]> {
  const since = Date.parse(endsFrom) - OVERLAPS_MS;
  const newest = new Map<string, string>();
  for (const { pipeline, hour } of await world.wentThrough(new Date(since).toISOString())) {
    if (hour > (newest.get(pipeline) ?? '')) newest.set(pipeline, hour);
  }
  const watched = schedules.flatMap(({ pipeline, definition }): Watched[] => {
    const memory = memories.get(pipeline) ?? {};
    const came = newest.get(pipeline);
    if (!definition || (memory.newest ?? came) === undefined) return [];
    const { alias } = streamOf(definition, mainDataset);
    return [{ pipeline, definition, memory, alias, ...(came === undefined ? {} : { came }) }];
  });
  const indexed =
    watched.length === 0
      ? new Map()
      : await world.indexed(watched.map(({ alias }) => alias)).catch((error: unknown) => sentenceOf(error));
  return inGroups(watched, async ({ pipeline, definition, memory, alias, came }) => {
    const has = typeof indexed === 'string' ? undefined : (indexed as Awaited<ReturnType<World['indexed']>>).get(alias);
    if (typeof has === 'object' && has !== null)
      return { pipeline, ...unknown(memory, `the index ${alias} cannot be asked: ${has.why}`) };
    const { hours } = definition.keep;
    const found = await staleIndex({
      ...{ pipeline, alias, memory, now, settings: watchOf(definition, 'indexStale', now) },
      ...(came === undefined ? {} : { newest: came }),
      ...(has === undefined ? {} : { indexed: has }),
      ...(hours === undefined ? {} : { keptMs: durationMs(hours) }),
      isDone: (hour) => world.isDone(pipeline, hour),
    }).catch((error: unknown) => unknown(memory, sentenceOf(error)));
    return { pipeline, ...found };
  });
}

/** One that cannot be judged keeps the others from nothing. */
function unknown({ newest, staleSince }: PipelineMemory, why: string): StaleNews {
  return {
    memory: { ...(newest === undefined ? {} : { newest }), ...(staleSince === undefined ? {} : { staleSince }) },
    verdict: { rule: 'index-stale', standing: 'unknown', why },
  };
}

interface Watched {
  readonly pipeline: string;
  readonly definition: Pipeline;
  readonly memory: PipelineMemory;
  readonly alias: string;
  readonly came?: string;
}
