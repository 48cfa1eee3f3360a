import type { Data, GroupMark, Mark, Spec } from 'vega';
import { headlessView } from './headless-view.ts';
import type { Json, JsonObject } from './panel.ts';

type Cell = string | number | boolean | null;

/** A chart in words and numbers: what its tooltips say, a row for each mark. Times are ISO 8601; null where there is nothing. */
export interface PanelTable {
  readonly columns: readonly { readonly title: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly Cell[])[];
}

interface Field {
  readonly field: string;
  readonly title: string;
  readonly type: string;
}

/** The part of a chart that the table is made from, by the name that its marks have. */
export interface Told {
  readonly name: string;
  readonly fields: readonly Field[];
}

const NAME = 'told';
/** A screen reader's patience ends sooner. */
const MOST_ROWS = 5_000;

/**
 * The spec with a name for the marks that the table is made from: the first ones with a tooltip of their own, else the first that show a field.
 * @returns the spec alone where nothing in it shows a field
 */
export function named(spec: JsonObject): { readonly spec: JsonObject; readonly told?: Told } {
  const units: { readonly unit: JsonObject; readonly fields: readonly Field[]; readonly explicit: boolean }[] = [];
  const look = (node: JsonObject, inherited: JsonObject): void => {
    const encoding = { ...inherited, ...objectOf(node['encoding']) };
    if ('mark' in node) {
      const tooltip = fieldsOf(encoding['tooltip']);
      const fields = tooltip.length > 0 ? tooltip : Object.values(encoding).flatMap(fieldsOf);
      if (fields.length > 0) units.push({ unit: node, fields, explicit: tooltip.length > 0 });
    }
    for (const child of childrenOf(node)) look(child, encoding);
  };
  look(spec, {});
  const chosen = units.find(({ explicit }) => explicit) ?? units[0];
  if (!chosen) return { spec };
  const { unit, fields } = chosen;
  const rename = (node: JsonObject): JsonObject => {
    if (node === unit) return { ...node, name: NAME };
    const parts = Object.entries(node).map(([key, value]) => {
      if (Array.isArray(value) && LISTS.includes(key)) return [key, (value as JsonObject[]).map(rename)];
      return [key, key === 'spec' ? rename(objectOf(value)) : value];
    });
    return Object.fromEntries(parts) as JsonObject;
  };
  return { spec: rename(spec), told: { name: `${NAME}_marks`, fields: unique(fields) } };
}

/** The table of a chart that is compiled, and whose data is in it. */
export async function tableOf(vega: Spec, { name, fields }: Told): Promise<PanelTable> {
  const columns = fields.map(({ title, type }) => ({ title, numeric: type === 'quantitative' }));
  const dataset = datasetOf(vega.marks ?? [], name, new Map());
  const rows = dataset === undefined ? [] : await tuplesOf(vega, dataset);
  const cells = rows.map((row) => fields.map((field) => cellOf(row, field)));
  // A county without data is on the map, and has nothing to tell.
  const counts = columns.some(({ numeric }) => numeric);
  const told = cells.filter((row) => row.some((cell, n) => cell !== null && (!counts || columns[n]?.numeric)));
  return { columns, rows: told.slice(0, MOST_ROWS) };
}

const LISTS = ['layer', 'concat', 'hconcat', 'vconcat'];

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

function childrenOf(node: JsonObject): JsonObject[] {
  const lists = LISTS.flatMap((key) => (Array.isArray(node[key]) ? (node[key] as JsonObject[]) : []));
  return 'spec' in node ? [...lists, objectOf(node['spec'])] : lists;
}

function fieldsOf(channel: Json | undefined): Field[] {
  if (Array.isArray(channel)) return (channel as Json[]).flatMap(fieldsOf);
  const { field, type, title } = objectOf(channel);
  if (typeof field !== 'string') return [];
  return [
    { field, type: typeof type === 'string' ? type : 'nominal', title: typeof title === 'string' ? title : field },
  ];
}

const unique = (fields: readonly Field[]): Field[] =>
  fields.filter(({ field }, at) => fields.findIndex((other) => other.field === field) === at);

/** Which of the spec's data sets the marks of this name are made from; a group's facet leads to what it divides. */
function datasetOf(marks: readonly Mark[], name: string, facets: ReadonlyMap<string, string>): string | undefined {
  for (const mark of marks) {
    const from = mark.from as { data?: string; facet?: { name: string; data: string } } | undefined;
    if (mark.name === name && from?.data !== undefined) return facets.get(from.data) ?? from.data;
    const inner = from?.facet ? new Map([...facets, [from.facet.name, from.facet.data]]) : facets;
    const found = datasetOf((mark as GroupMark).marks ?? [], name, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Transforms that say where on a map something is drawn. */
const DRAWN = ['geopoint', 'geojson', 'geoshape', 'geopath'];

/** The rows of a data set once its transforms are through. Nothing is drawn for it, so outlines and projections are left out. */
async function tuplesOf({ data = [], signals, $schema = '' }: Spec, name: string): Promise<object[]> {
  const bare: Spec = { $schema, data: data.map(withoutOutlines) };
  if (signals) bare.signals = signals;
  const view = headlessView(bare);
  try {
    await view.runAsync();
    return view.data(name) as object[];
  } finally {
    view.finalize();
  }
}

interface Topology {
  readonly objects: Readonly<Record<string, { readonly geometries: readonly { id?: unknown; properties?: object }[] }>>;
}

/** A map's shapes as their ids and names alone: to make outlines of TopoJSON takes longer than all the rest. */
function withoutOutlines(data: Data): Data {
  const { format, values, ...rest } = data as Data & { format?: { type?: string; feature?: string }; values?: unknown };
  const { transform = [] } = rest;
  const kept = { ...rest, transform: transform.filter(({ type }) => !DRAWN.includes(type)) };
  const geometries = format?.type === 'topojson' && (values as Topology).objects[format.feature ?? '']?.geometries;
  if (!geometries) return { ...data, transform: kept.transform } as Data;
  return {
    ...kept,
    values: geometries.map(({ id, properties = {} }) => ({ id, properties: { ...properties } })),
  } as Data;
}

function cellOf(row: object, { field, type }: Field): Cell {
  const found = at(row, field);
  if (typeof found === 'number' && !Number.isFinite(found)) return null;
  if (type === 'temporal' || found instanceof Date) {
    const time = new Date(found as number | string | Date);
    if (found !== null && found !== undefined && !Number.isNaN(time.getTime())) return time.toISOString();
  }
  if (typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean') return found;
  return found === null || found === undefined ? null : JSON.stringify(found);
}

/** A field as Vega-Lite finds it: by its name as a whole, or part by part: `mean.value`, `points[0].x`. */
function at(row: object, field: string): unknown {
  if (Object.hasOwn(row, field)) return (row as Record<string, unknown>)[field];
  const parts = field.replaceAll(/\[['"]?([^\]'"]+)['"]?\]/g, '.$1').split(/(?<!\\)\./);
  return parts.reduce<unknown>((value, part) => {
    const key = part.replaceAll('\\', '');
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  }, row);
}
