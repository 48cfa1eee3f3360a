import { sentenceOf } from '../../../definition/errors.ts';
import type { Pipeline } from '../../../definition/pipeline.ts';
import { streamsOf } from '../../../definition/streams.ts';
import { watchOf } from '../../../definition/watch.ts';
import { inGroups } from '../../in-groups.ts';
import type { StandsStill, WatchMemory } from './memory.ts';
import type { Verdict } from './problems.ts';
import type { SeenConsumer } from './seen.ts';
import { stuckConsumer, type StuckInput, type StuckNews } from './stuck-consumers.ts';
import type { World } from './world.ts';

interface Known {
  readonly definitions: ReadonlyMap<string, Pipeline | undefined>;
  /** Pipelines of which it could not be said how their schedules stand, and so what their definitions say. */
  readonly unseen: ReadonlySet<string>;
  /** What was known of pipelines, and where consumers stood, since when. */
  readonly pipelines: NonNullable<WatchMemory['pipelines']>;
  readonly lagging: NonNullable<WatchMemory['lagging']>;
  readonly now: number;
  /** Whether nobody serves consumers. */
  readonly isGone: (pipeline: Pipeline | undefined) => boolean;
}

export interface ConsumersNews {
  readonly lagging: Readonly<Record<string, StandsStill>>;
  readonly verdicts: readonly { readonly pipeline: string; readonly verdict: Verdict }[];
}

/** All consumers, by one question to the broker. */
export async function lookAtConsumers(
  world: Pick<World, 'ends' | 'landed'>,
  consumers: readonly SeenConsumer[],
  { definitions, unseen, pipelines, lagging: before, now, isGone }: Known,
): Promise<ConsumersNews> {
  const topicOf = ({ pipeline, stream, reading }: SeenConsumer): string | undefined => {
    const definition = definitions.get(pipeline);
    return reading?.topic ?? (definition && streamsOf(definition).find(({ name }) => name === stream)?.topic);
  };
  const read = consumers.filter(({ reading }) => reading);
  const topics = new Set(read.map(topicOf).filter((topic) => topic !== undefined));
  const ends: Awaited<ReturnType<World['ends']>> = topics.size === 0 ? new Map() : await world.ends([...topics]);
  const lagging: Record<string, StandsStill> = {};
  const verdicts = await inGroups(consumers, async (consumer) => {
    const { pipeline, stream, shard } = consumer;
    const definition = definitions.get(pipeline);
    const topic = topicOf(consumer);
    const end = topic === undefined ? undefined : ends.get(topic);
    const judged = async (input: Omit<StuckInput, 'ends'>): Promise<StuckNews> => {
      if (!consumer.reading || !end) return stuckConsumer(input);
      if ('why' in end) throw new Error(end.why);
      return stuckConsumer({ ...input, ends: end });
    };
    const stood = before[`${stream}/${shard}`];
    const found = await judged({
      ...{ consumer, now, waits: isGone(definition), settings: watchOf(definition, 'consumerStuck', now) },
      ...(stood ? { before: stood } : {}),
      landed: () => world.landed(stream, topic ?? ''),
    }).catch((error: unknown): StuckNews => ({
      ...(stood ? { memory: stood } : {}),
      // One that cannot be judged keeps the others from nothing.
      verdict: { rule: 'consumer-stuck', subject: `${stream}/${shard}`, standing: 'unknown', why: sentenceOf(error) },
    }));
    if (found.memory) lagging[`${stream}/${shard}`] = found.memory;
    return { pipeline, verdict: found.verdict };
  }).then((all) => all.filter(({ pipeline }) => !unseen.has(pipeline)));
  return { lagging, verdicts: [...verdicts, ...ended(consumers, pipelines)] };
}

/** Those that were told of and do not run any more. */
function ended(consumers: readonly SeenConsumer[], pipelines: Known['pipelines']): ConsumersNews['verdicts'] {
  const there = new Set(consumers.map(({ stream, shard }) => `${stream}/${shard}`));
  return Object.entries(pipelines).flatMap(([pipeline, { open = [] }]) =>
    open.flatMap(({ rule, subject = '' }) => {
      if (rule !== 'consumer-stuck' || there.has(subject)) return [];
      return [
        {
          pipeline,
          verdict: {
            rule,
            subject,
            standing: 'well' as const,
            sentence: `The consumer ${subject} does not run any more.`,
          },
        },
      ];
    }),
  );
}
