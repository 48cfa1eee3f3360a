import type { ColumnType } from '../definition/columns.ts';
import { durationMs } from '../definition/duration.ts';
import { mainDataset } from '../definition/names.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { streamOf } from '../definition/streams.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What panels are made from: an index, and what its fields mean. */
export interface Subject {
  readonly pipeline: string;
  readonly title: string;
  readonly index: string;
  readonly timeField: string;
  /** What has a document: a record of each hour, or a record as the newest hour has it. */
  readonly mode: Pipeline['index']['mode'];
  /** Whether the time axis is the logical hour, and no date of the data. */
  readonly timeIsHour: boolean;
  /** Milliseconds from one hour that has documents to the next, where it is always the same. */
  readonly step?: number;
  readonly fields: ReadonlyMap<string, ColumnType>;
  /** Bounds of a number, where the definition has both. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** Labels of a band, in ascending order. */
  readonly bands: ReadonlyMap<string, readonly string[]>;
  /** Numbers worth a trend and a map; the first one is the main one. */
  readonly measures: readonly string[];
  /** Texts worth counting by. */
  readonly categories: readonly string[];
  /** Field with the two letters of a US state, where there is one. */
  readonly state?: string;
  /** Field with the five digits of a US county (FIPS), where there is one. */
  readonly county?: string;
  readonly hasLocation: boolean;
  /** Whether all places are in the United States. */
  readonly inUS: boolean;
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
  const generated = Object.entries(pipeline.generate.fields);
  const bands = new Map(
    generated.flatMap(([name, field]) =>
      field.kind === 'band' ? [[name, field.bands.map(({ label }) => label)] as const] : [],
    ),
  );
  const timeField = dashboards.time ?? 'hour';
  const { every, calendars, cron } = pipeline.schedule;
  // Otherwise an hour whose file is as before has no documents of its own.
  const snapshots = pipeline.source.onUnchanged === 'snapshot';
  const texts = names.filter((name) => fields.get(name) === 'string' && !keyed.has(name));
  const { location } = dashboards;
  function isPlace(name: string): boolean {
    return name === dashboards.location?.latitude || name === dashboards.location?.longitude;
  }
  return {
    pipeline: pipeline.name,
    title: dashboards.title ?? pipeline.description ?? pipeline.name,
    index: stream.alias,
    timeField,
    mode: pipeline.index.mode,
    timeIsHour: timeField === 'hour' || pipeline.generate.fields[timeField]?.kind === 'logicalHour',
    ...(every !== undefined && calendars === undefined && cron === undefined && snapshots
      ? { step: durationMs(every) }
      : {}),
    fields,
    ranges: rangesOf(pipeline),
    bands,
    measures,
    categories: dashboards.categories ?? [...new Set([...bands.keys(), ...texts])].slice(0, 3),
    hasLocation: location !== undefined,
    inUS:
      dashboards.state !== undefined ||
      dashboards.county !== undefined ||
      generated.some(([name, { kind }]) => kind === 'zipLocation' && isPlace(name)),
    ...(dashboards.state === undefined ? {} : { state: dashboards.state }),
    ...(dashboards.county === undefined ? {} : { county: dashboards.county }),
    ...(dashboards.error === undefined ? {} : { error: dashboards.error }),
  };
}

function rangesOf({ columns, generate }: Pipeline): Map<string, Range> {
  const found = new Map<string, Range>();
  for (const { name, range } of Object.values(columns)) {
    if (range?.min !== undefined && range.max !== undefined && range.min < range.max) {
      found.set(name, { min: range.min, max: range.max });
    }
  }
  for (const [name, field] of Object.entries(generate.fields)) {
    if (field.kind === 'simulated' && field.min < field.max) found.set(name, { min: field.min, max: field.max });
  }
  return found;
}
