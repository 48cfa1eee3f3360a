import { durationMs } from '../../../definition/duration.ts';
import { sentenceOf } from '../../../definition/errors.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';
import { watchOf, type WatchCheck } from '../../../definition/watch.ts';
import { inGroups } from '../../in-groups.ts';
import { foundOpen } from './found-open.ts';
import { goneWorkers } from './gone-workers.ts';
import { lookAtConsumers } from './look-at-consumers.ts';
import { lookAtIndices } from './look-at-indices.ts';
import { lookAtSchedule, withoutSchedule } from './look-at-schedule.ts';
import { openOf, type Looked, type LookTold, type Watching } from './looked.ts';
import { isGap, lookedAway, sinceLastLook, type PipelineMemory, type WatchMemory } from './memory.ts';
import { needing } from './needing-workers.ts';
import { newsOf, type Verdict } from './problems.ts';
import { seenQueue, unlookedOf, unservedMs, watchedQueues, type SeenQueue, type WatchedQueue } from './seen-queues.ts';
import type { World } from './world.ts';

const MOST_PROBLEMS = 50;
/** So far back a first look asks for what went through. */
const DAY_MS = 86_400_000;

/**
 * Looks once at everything. What cannot be looked at is said, and stays as it was. A first look knows what is open from whoever looked before.
 * @param now milliseconds since 1970
 */
export async function look(world: World, memory: WatchMemory, now: number, everyMs: number): Promise<Looked> {
  if (memory.lookedAt !== undefined) return lookFrom(world, memory, now, everyMs);
  let before: WatchMemory;
  try {
    before = { ...memory, ...foundOpen(await world.incidents()) };
  } catch (error) {
    // Who looked all the same would not know again later what is to be cleared.
    const why = `it is not known what is open: ${sentenceOf(error)}`;
    const none = { pipelines: [], consumers: 0, queues: {}, open: [] };
    return { memory, told: [], watching: { ...none, lookedAt: iso(now), problems: [{ check: 'all', why }] } };
  }
  return { ...(await lookFrom(world, before, now, everyMs)), before };
}

async function lookFrom(world: World, memory: WatchMemory, now: number, everyMs: number): Promise<Looked> {
  const at = iso(now);
  const problems: Watching['problems'][number][] = [];
  const tried = async <T>(
    check: WatchCheck | 'all',
    work: () => Promise<T>,
    pipeline?: string,
  ): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      problems.push({ check, ...(pipeline === undefined ? {} : { pipeline }), why: sentenceOf(error) });
      return undefined;
    }
  };
  const before = memory.pipelines ?? {};
  const sinceLook = sinceLastLook(memory, now);
  // No time in which nobody looked, as Temporal was away, say: in that, nobody can tell who else was there.
  const away = sinceLook === undefined ? 0 : Math.max(0, sinceLook - everyMs);
  const lookingSince = isGap(sinceLook, everyMs) ? at : (memory.lookingSince ?? at);

  const unseen = new Set<string>();
  const schedules = await tried('all', () =>
    world.schedules(Object.keys(before), (pipeline, why) => {
      unseen.add(pipeline);
      problems.push({ check: 'all', pipeline, why });
    }),
  );
  const consumers = await tried('consumerStuck', () => world.consumers());
  const runs = await tried('workerGone', () => world.runs());
  const queues = new Map<WatchedQueue, SeenQueue>();
  for (const queue of watchedQueues) {
    const seen = await tried('workerGone', () => world.served(queue, { consumers: consumers ?? [], runs: runs ?? [] }));
    if (seen !== undefined) queues.set(queue, seenQueue(queue, seen, memory, { now, away }));
  }
  const isUnserved = (queue: WatchedQueue, after: string): boolean => {
    const seen = queues.get(queue);
    return seen !== undefined && unservedMs(seen, now) > durationMs(after);
  };
  const definitions = new Map(schedules?.map((schedule) => [schedule.pipeline, schedule.definition]));
  const isGone = (queue: WatchedQueue, pipeline: Pipeline | undefined): boolean => {
    const { after, muted } = watchOf(pipeline, 'workerGone', now);
    return !muted && isUnserved(queue, after);
  };
  const servedSince = isUnserved('light', watchOf(undefined, 'workerGone', now).after) ? at : memory.servedSince;
  // Where nobody is told of workers, nothing else would say that its hours do not start.
  const isBeingTakenUp = (pipeline: Pipeline | undefined): boolean =>
    !watchOf(pipeline, 'workerGone', now).muted &&
    now - Date.parse(servedSince ?? '1970-01-01') < durationMs(watchOf(pipeline, 'runMissed', now).after);

  const verdicts = new Map<string, Verdict[]>();
  const add = (pipeline: string, ...found: readonly Verdict[]): void => {
    verdicts.set(pipeline, [...(verdicts.get(pipeline) ?? []), ...found]);
    for (const one of found)
      if (one.standing === 'unknown') problems.push({ check: checkOf[one.rule] ?? 'all', pipeline, why: one.why });
  };
  const memories = new Map<string, PipelineMemory>(Object.entries(before));
  const direct = new Map<string, Pick<LookTold, 'observations' | 'clearings'>>();
  const remember = (pipeline: string, what: PipelineMemory): void =>
    void memories.set(pipeline, { ...memories.get(pipeline), ...what });

  const endsFrom = memory.endsTo ?? memory.lookedAt ?? iso(now - DAY_MS);
  let endsTo = endsFrom;
  if (schedules) {
    await inGroups(schedules, async (schedule) => {
      const { pipeline } = schedule;
      const known = memories.get(pipeline) ?? {};
      const found = await tried(
        'runMissed',
        () =>
          lookAtSchedule(world, schedule, known, {
            ...{ now, lookingSince: Date.parse(lookingSince) },
            waits: isGone('light', schedule.definition) || isBeingTakenUp(schedule.definition),
          }),
        pipeline,
      );
      if (!found) return;
      if (found.unknown !== undefined) problems.push({ check: 'runMissed', pipeline, why: found.unknown });
      const { pausedSince: _, ...others } = known;
      memories.set(pipeline, { ...others, ...found.memory });
      direct.set(pipeline, found);
      add(pipeline, found.verdict);
    });
    const there = new Set([...schedules.map(({ pipeline }) => pipeline), ...unseen]);
    for (const [pipeline, known] of memories) {
      if (there.has(pipeline)) continue;
      const gone = withoutSchedule(pipeline, known, at);
      direct.set(pipeline, { observations: [], clearings: gone.clearings });
      memories.set(pipeline, gone.memory);
    }
    const found = await tried('indexStale', () => lookAtIndices(world, schedules, memories, endsFrom, now));
    if (found) endsTo = at;
    for (const { pipeline, memory: kept, verdict } of found ?? []) {
      const { newest: _, staleSince: __, ...others } = memories.get(pipeline) ?? {};
      memories.set(pipeline, { ...others, ...kept });
      add(pipeline, verdict);
    }
  }
  let lagging = memory.lagging && lookedAway(memory.lagging, away);
  // Without their definitions nobody knows whom to tell, after how long.
  if (schedules && consumers) {
    const found = await tried('consumerStuck', () =>
      lookAtConsumers(world, consumers, {
        definitions,
        unseen,
        pipelines: before,
        lagging: lagging ?? {},
        now,
        isGone: (pipeline) => isGone('streaming', pipeline),
      }),
    );
    if (found) {
      lagging = found.lagging;
      for (const { pipeline, verdict } of found.verdicts) add(pipeline, verdict);
    }
  }
  if (schedules && runs && consumers) {
    const open = new Map([...memories].map(([name, { open: problemsOf = [] }]) => [name, problemsOf]));
    for (const [pipeline, verdict] of goneWorkers({
      queues,
      pipelines: needing(
        schedules,
        memories,
        [...runs, ...consumers].filter(({ pipeline }) => !unseen.has(pipeline)),
        now,
      ),
      unseen,
      open,
      now,
    }))
      add(pipeline, verdict);
  }

  const told: LookTold[] = [];
  for (const pipeline of new Set([...verdicts.keys(), ...direct.keys()])) {
    const news = newsOf(pipeline, memories.get(pipeline)?.open ?? [], verdicts.get(pipeline) ?? [], at);
    remember(pipeline, { open: news.open });
    const also = direct.get(pipeline);
    const observations = [...news.observations, ...(also?.observations ?? [])];
    const clearings = [...news.clearings, ...(also?.clearings ?? [])];
    if (observations.length + clearings.length === 0) continue;
    const alerts = definitions.get(pipeline)?.alerts;
    told.push({ pipeline: { name: pipeline, ...(alerts ? { alerts } : {}) }, observations, clearings });
  }
  const kept = [...memories].filter(
    ([name, known]) =>
      definitions.has(name) || unseen.has(name) || schedules === undefined || (known.open ?? []).length > 0,
  );
  const seenQueues = Object.fromEntries([...queues].map(([queue, seen]) => [queue, iso(seen.at)]));
  return {
    memory: {
      ...{
        lookedAt: at,
        lookingSince,
        endsTo,
        queues: { ...memory.queues, ...seenQueues },
        unlooked: unlookedOf(queues, memory, away),
        pipelines: Object.fromEntries(kept),
      },
      ...(servedSince === undefined ? {} : { servedSince }),
      ...(lagging === undefined ? {} : { lagging }),
      ...(memory.ping ? { ping: memory.ping } : {}),
    },
    told,
    watching: {
      lookedAt: at,
      pipelines: [...(schedules ?? []).map(({ pipeline }) => pipeline), ...unseen].toSorted(),
      consumers: consumers?.length ?? 0,
      queues: seenQueues,
      open: kept.flatMap(([pipeline, known]) => openOf(pipeline, known)),
      problems: problems.slice(0, MOST_PROBLEMS),
    },
  };
}

const checkOf: Readonly<Partial<Record<string, WatchCheck>>> = {
  'schedule-paused': 'schedulePaused',
  'worker-gone': 'workerGone',
  'consumer-stuck': 'consumerStuck',
  'index-stale': 'indexStale',
};

const iso = (ms: number): string => new Date(ms).toISOString();
