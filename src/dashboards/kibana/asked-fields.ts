import { isObject } from '../../definition/is-object.ts';
import type { Json, JsonObject } from '../panel.ts';
import { pathText } from './finding.ts';
import { walk, type Path } from './walk.ts';

/** A field that something asks for, and the types that will do; any where there are none. */
export interface Asked {
  readonly where: string;
  readonly field: string;
  readonly types?: readonly string[];
  /** What asks for it. */
  readonly by: string;
}

const numbers = ['long', 'integer', 'short', 'byte', 'double', 'float', 'half_float', 'scaled_float'];
const ordered = [...numbers, 'date'];
const single = [...ordered, 'keyword', 'boolean', 'ip'];
const anything = [...single, 'geo_point', 'text'];

/** Types of fields that Lens’s operations take; a count takes none. */
export const operationTypes: Readonly<Record<string, readonly string[] | undefined>> = {
  average: numbers,
  sum: numbers,
  max: ordered,
  min: ordered,
  unique_count: single,
};

/** The same of Elasticsearch’s aggregations and queries that have a `field`. */
const aggregationTypes: Readonly<Record<string, readonly string[]>> = {
  ...{
    avg: [...numbers, 'boolean'],
    sum: [...numbers, 'boolean'],
    max: [...ordered, 'boolean'],
    min: [...ordered, 'boolean'],
  },
  ...{ stats: numbers, extended_stats: numbers, percentiles: numbers, percentile_ranks: numbers, histogram: numbers },
  ...{ range: ordered, date_histogram: ['date'], auto_date_histogram: ['date'], date_range: ['date'] },
  ...{ terms: single, cardinality: single, value_count: anything, missing: anything, exists: anything },
  ...{
    geotile_grid: ['geo_point'],
    geohash_grid: ['geo_point'],
    geo_centroid: ['geo_point'],
    geo_bounds: ['geo_point'],
  },
};

/** Queries that have fields as their keys. */
const keyed: Readonly<Record<string, readonly string[]>> = {
  ...{ term: single, terms: single },
  // A range of dates fits where it reaches into what is asked for.
  range: [...ordered, 'date_range'],
  ...{ match: anything, match_phrase: anything, prefix: anything, wildcard: anything },
};

/** Every field that a search’s body names. @param base where the body is */
export function fieldsOfBody(body: JsonObject, base: string): Asked[] {
  return [...walk(body)].flatMap(([path, value]): Asked[] => {
    const by = path.at(-1);
    // Of the search itself, or of hits in an aggregation; elsewhere such words mean something else.
    if (path.length === 1 || path.at(-2) === 'top_hits') {
      const place = (rest: Path): string => `${base}.${pathText([...path, ...rest])}`;
      const named = by === 'sort' ? sorted(value) : by === '_source' || by === 'fields' ? fetched(value) : undefined;
      const types = by === 'sort' ? { types: single } : {};
      if (named !== undefined)
        return named.map(([rest, field]) => ({ where: place(rest), field, ...types, by: String(by) }));
    }
    if (!isObject(value) || typeof by !== 'string') return [];
    const field = value['field'];
    const where = (last: string): string => `${base}.${pathText([...path, last])}`;
    if (typeof field === 'string')
      return [{ where: where('field'), field, types: aggregationTypes[by] ?? anything, by }];
    const types = keyed[by];
    // An aggregation may be called by such a name, too.
    if (types === undefined || path.at(-2) === 'aggs') return [];
    return Object.keys(value).map((name) => ({ where: where(name), field: name, types, by }));
  });
}

type Named = readonly (readonly [place: Path, field: string])[];

/** Fields that hits are sorted by. What begins with `_` is none: `_score`, `_doc`, `_geo_distance`. */
function sorted(value: Json, place: Path = []): Named {
  if (Array.isArray(value)) return value.flatMap((item, at) => sorted(item as Json, [...place, at]));
  const named: Named = typeof value === 'string' ? [[place, value]] : [];
  const all: Named = isObject(value) ? Object.keys(value).map((name) => [[...place, name], name]) : named;
  return all.filter(([, name]) => !name.startsWith('_'));
}

/** Fields that hits bring: `_source` and `fields`. Patterns are left out, as they may fit nothing. */
function fetched(value: Json, place: Path = []): Named {
  if (Array.isArray(value)) return value.flatMap((item, at) => fetched(item as Json, [...place, at]));
  if (isObject(value)) {
    const known = ['includes', 'excludes', 'field'];
    return Object.entries(value).flatMap(([key, item]) => (known.includes(key) ? fetched(item, [...place, key]) : []));
  }
  return typeof value === 'string' && !value.includes('*') ? [[place, value]] : [];
}
