import { keys, mainDataset, streamName } from '../../../definition/names.ts';
import { sentenceOf } from '../../../definition/errors.ts';
import { toLogicalHour, type LogicalHour } from '../../../definition/hour.ts';
import type { StageDeps } from '../../deps.ts';
import { consumerLag } from '../../landing/consumer-lag.ts';
import { newestHour } from '../../landing/hour-record.ts';
import type { RunReport } from '../../run-report.ts';
import type { NoAnswer, World } from './world.ts';

/** The part of it that is asked of broker, object store and index. */
export function serversOf(
  deps: Pick<StageDeps, 'kafka' | 'log' | 'store' | 'search'>,
): Pick<World, 'ends' | 'landed' | 'indexed' | 'isDone'> {
  return {
    /** By one connection. */
    ends: (topics) =>
      deps.kafka.admin('offsets of topics', async (admin) => {
        const there = new Set(await admin.listTopics());
        const found = new Map<string, ReadonlyMap<string, bigint> | NoAnswer>();
        for (const topic of topics) {
          if (!there.has(topic)) continue;
          try {
            const offsets = await admin.fetchTopicOffsets(topic);
            found.set(topic, new Map(offsets.map(({ partition, high }) => [String(partition), BigInt(high)])));
          } catch (error) {
            found.set(topic, { why: `the broker does not say where ${topic} ends: ${sentenceOf(error)}` });
          }
        }
        return found;
      }),

    landed: async (stream, topic) => {
      const partitions = await consumerLag(deps, stream, topic);
      return new Map(partitions.map(({ partition, position }) => [String(partition), BigInt(position)]));
    },

    indexed: async (aliases) => {
      const { responses } = await deps.search.request('the newest hours', (client) =>
        client.msearch({
          searches: aliases.flatMap((index) => [
            // The newest hour of some shards is not that of the index.
            { index, allow_partial_search_results: false },
            { size: 0, track_total_hits: false, aggs: { newest: { max: { field: 'hour' } } } },
          ]),
        }),
      );
      return new Map(aliases.map((alias, at) => [alias, newestIn(responses[at])]));
    },

    isDone: async (pipeline, hour) => {
      const report = await deps.store.findJson<RunReport>(keys.done(pipeline, hour));
      const { rows } = report?.equations.find(({ dataset }) => dataset === mainDataset) ?? {};
      if (report?.outcome !== 'completed' || !rows?.indexed) return false;
      // What says that it is done stays for a day after it was removed.
      return (await newestHour(deps, streamName(pipeline, mainDataset), hour))?.removed === undefined;
    },
  };
}

function newestIn(answer: unknown): LogicalHour | null | false | NoAnswer {
  const { status, error, aggregations } = (answer ?? {}) as {
    readonly status?: number;
    readonly error?: { readonly type?: string; readonly reason?: string };
    readonly aggregations?: { readonly newest?: { readonly value?: number | null } };
  };
  if (status === 404) return false;
  // The index is closed, say, or a shard of it is away.
  if (error || !aggregations) return { why: error?.reason ?? error?.type ?? 'the index does not answer' };
  const value = aggregations.newest?.value;
  return typeof value === 'number' ? toLogicalHour(value) : null;
}
