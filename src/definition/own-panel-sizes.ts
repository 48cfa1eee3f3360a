import { isMap, type JsonMap } from './own-panels.ts';
import type { Finding } from './problem.ts';

/** Buckets or documents that a panel may ask for; those of an aggregation inside of another one are multiplied. */
const MOST = 10_000;
/** Elasticsearch's own, where a definition says nothing. */
const USUAL: Readonly<Record<string, number>> = {
  terms: 10,
  multi_terms: 10,
  significant_terms: 10,
  significant_text: 10,
  categorize_text: 10,
  frequent_item_sets: 10,
  composite: 10,
  auto_date_histogram: 10,
  variable_width_histogram: 10,
  geotile_grid: 10_000,
  geohash_grid: 10_000,
  geohex_grid: 10_000,
  top_hits: 3,
};
const sizes = ['size', 'shard_size', 'buckets'];

/** What a search may not ask for, as it would be more than a panel shows, or of more than the reader looks at. Paths begin at the body. */
export function sizeChecks(body: JsonMap): Finding[] {
  return [...sized(body, []), ...aggregationChecks(body, [], 1)];
}

function aggregationChecks(parent: JsonMap, path: Finding['path'], outer: number): Finding[] {
  return ['aggs', 'aggregations'].flatMap((word) => {
    const named = parent[word];
    if (!isMap(named)) return [];
    return Object.entries(named).flatMap(([name, aggregation]): Finding[] => {
      if (!isMap(aggregation)) return [];
      const here = [...path, word, name];
      const kinds = Object.entries(aggregation).filter(([kind]) => kind !== 'aggs' && kind !== 'aggregations');
      const findings = kinds.flatMap(([kind, settings]): Finding[] => {
        if (kind === 'global') {
          const message = 'is refused: it would count what the reader’s time and filters leave out';
          return [{ path: [...here, kind], atKey: true, message }];
        }
        return isMap(settings) ? sized(settings, [...here, kind]) : [];
      });
      // One that says too much itself need not be told once more for each below it.
      if (findings.length > 0) return findings;
      const most = Math.max(1, ...kinds.map(([kind, settings]) => (isMap(settings) ? sizeOf(kind, settings) : 1)));
      const all = outer * most;
      if (all > MOST) {
        const message = `asks for ${all.toLocaleString('en-US')} buckets with those around it, and a panel for ${MOST.toLocaleString('en-US')} at most: say a smaller size`;
        return [{ path: here, message }];
      }
      return aggregationChecks(aggregation, here, all);
    });
  });
}

const sizeOf = (kind: string, settings: JsonMap): number =>
  Number(settings['size'] ?? settings['buckets'] ?? USUAL[kind] ?? 1);

function sized(settings: JsonMap, path: Finding['path']): Finding[] {
  return sizes.flatMap((word): Finding[] => {
    const size = settings[word];
    if (size === undefined || (typeof size === 'number' && size >= 0 && size <= MOST)) return [];
    return [{ path: [...path, word], message: `must be a number, ${MOST.toLocaleString('en-US')} at most` }];
  });
}
