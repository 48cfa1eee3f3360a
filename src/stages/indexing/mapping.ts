import type { estypes } from '@elastic/elasticsearch';
import type { OutputColumn } from '../../definition/columns.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';
import type { Target } from './targets.ts';

type Properties = Record<string, estypes.MappingProperty>;

/** What an index of a stream has to be by the definition. */
export interface WantedIndex {
  readonly mappings: estypes.MappingTypeMapping & { readonly properties: Properties };
  readonly mode: Pipeline['index']['mode'];
  readonly shards: number;
  readonly replicas: number;
}

/**
 * The index of a stream, with its strict mapping. Decimals are doubles here: the exact text stays in the data objects.
 * @param older columns that rows of older hours have, and the definition no more
 */
export function wantedIndex(stream: Stream, pipeline: Pipeline, older: readonly OutputColumn[] = []): WantedIndex {
  const { mode, shards, replicas } = pipeline.index;
  const properties: Properties = {};
  for (const column of [...older, ...stream.output]) properties[column.name] = propertyOf(column);
  if (hasLocation(stream, pipeline.dashboards)) properties['location'] = { type: 'geo_point' };
  const lane: estypes.MappingProperty = { type: 'integer' };
  const mappings = {
    dynamic: 'strict' as const,
    _meta: { mode },
    properties: {
      ...properties,
      batch: { type: 'keyword' as const },
      hour: { type: 'date' as const },
      generation: { type: 'integer' as const },
      ...(mode === 'latest' ? { present: { type: 'boolean' as const } } : {}),
      // The lanes of the identity's hash: their sums prove that the documents are the batch's rows.
      sluice: { properties: { a: lane, b: lane, c: lane, d: lane } },
    },
  };
  return { mappings, mode, shards, replicas };
}

/** Why an index cannot become what is wanted, so that another must take its place; empty where it can. */
export function differences({ mappings, mode, shards }: WantedIndex, target: Target): string[] {
  const fields = Object.entries(mappings.properties).flatMap(([name, property]) => {
    const wanted = property.type ?? 'object';
    const is = target.fields[name] ?? wanted;
    return is === wanted ? [] : [`${name} is ${is} there and ${wanted} here`];
  });
  return [
    ...fields,
    ...(mode === target.mode ? [] : [`it is in mode ${target.mode}, not ${mode}`]),
    ...(shards === target.shards ? [] : [`its shards are ${target.shards}, not ${shards}`]),
  ];
}

/** Whether the stream has the coordinates that `dashboards.location` names. */
function hasLocation(stream: Stream, { location }: Pipeline['dashboards']): boolean {
  if (!location) return false;
  const names = new Set(stream.output.map((column) => column.name));
  return names.has(location.latitude) && names.has(location.longitude);
}

/** The type of the field that holds a column. */
export const fieldType = (column: OutputColumn): string => propertyOf(column).type ?? 'object';

function propertyOf(column: OutputColumn): estypes.MappingProperty {
  switch (column.type) {
    case 'string':
      // A longer term than Lucene's 32,766 bytes would have the whole document refused.
      return { type: 'keyword', ignore_above: 8_191 };
    case 'integer':
      return { type: 'long' };
    case 'decimal':
      return { type: 'double' };
    case 'boolean':
      return { type: 'boolean' };
    case 'date':
    case 'timestamp':
      return { type: 'date' };
  }
}
