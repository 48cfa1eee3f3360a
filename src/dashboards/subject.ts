import type { ColumnType } from '../definition/columns.ts';
import { mainDataset } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { streamOf } from '../definition/streams.ts';

/** What panels are made from: an index, and what its fields mean. */
export interface Subject {
  readonly pipeline: string;
  readonly title: string;
  readonly index: string;
  readonly timeField: string;
  readonly fields: ReadonlyMap<string, ColumnType>;
  /** Numbers worth a trend and a map; the first one is the main one. */
  readonly measures: readonly string[];
  /** Texts worth counting by. */
  readonly categories: readonly string[];
  /** Field with the two letters of a US state, where there is one. */
  readonly state?: string;
  /** Field with the five digits of a US county (FIPS), where there is one. */
  readonly county?: string;
  readonly hasLocation: boolean;
  /** A measure and the field that says how far off it may be. */
  readonly error?: { readonly of: string; readonly range: string };
}

/** A definition’s main data set as a subject. */
export function subjectOf(pipeline: Pipeline): Subject {
  const { dashboards } = pipeline;
  const stream = streamOf(pipeline, mainDataset);
  const fields = new Map(stream.output.map(({ name, type }) => [name, type] as const));
  const names = [...fields.keys()];
  const keyed = new Set(stream.key);
  const measures =
    dashboards.measures ?? names.filter((name) => fields.get(name) === 'decimal' && !isPlace(name)).slice(0, 3);
  const bands = Object.entries(pipeline.generate.fields).filter(([, { kind }]) => kind === 'band');
  const texts = names.filter((name) => fields.get(name) === 'string' && !keyed.has(name));
  const { location } = dashboards;
  function isPlace(name: string): boolean {
    return name === dashboards.location?.latitude || name === dashboards.location?.longitude;
  }
  return {
    pipeline: pipeline.name,
    title: dashboards.title ?? pipeline.description ?? pipeline.name,
    index: stream.alias,
    timeField: dashboards.time ?? 'hour',
    fields,
    measures,
    categories: dashboards.categories ?? [...new Set([...bands.map(([name]) => name), ...texts])].slice(0, 3),
    hasLocation: location !== undefined,
    ...(dashboards.state === undefined ? {} : { state: dashboards.state }),
    ...(dashboards.county === undefined ? {} : { county: dashboards.county }),
    ...(dashboards.error === undefined ? {} : { error: dashboards.error }),
  };
}
