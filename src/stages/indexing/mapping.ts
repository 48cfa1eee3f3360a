import type { estypes } from '@elastic/elasticsearch';
import type { OutputColumn } from '../../definition/columns.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Stream } from '../../definition/streams.ts';

/** The strict mapping of a stream. Decimals are doubles here: the exact text stays in the data objects. */
export function mappingOf(stream: Stream, dashboards: Pipeline['dashboards']): estypes.MappingTypeMapping {
  const properties: Record<string, estypes.MappingProperty> = {};
  for (const column of stream.output) properties[column.name] = propertyOf(column);
  if (hasLocation(stream, dashboards)) properties['location'] = { type: 'geo_point' };
  return {
    dynamic: 'strict',
    properties: {
      ...properties,
      batch: { type: 'keyword' },
      hour: { type: 'date' },
      generation: { type: 'integer' },
      // The lanes of the identity's hash: their sums prove that the documents are the batch's rows.
      sluice: {
        properties: {
          a: { type: 'integer' },
          b: { type: 'integer' },
          c: { type: 'integer' },
          d: { type: 'integer' },
        },
      },
    },
  };
}

/** Whether the stream has the coordinates that `dashboards.location` names. */
export function hasLocation(stream: Stream, dashboards: Pipeline['dashboards']): boolean {
  const { location } = dashboards;
  if (!location) return false;
  const names = new Set(stream.output.map((column) => column.name));
  return names.has(location.latitude) && names.has(location.longitude);
}

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
