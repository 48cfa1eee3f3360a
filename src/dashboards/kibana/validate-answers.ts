import type { SearchConnector } from '../../connectors/search.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { isObject } from '../../definition/is-object.ts';
import type { Json, JsonObject } from '../panel.ts';
import { requestsOf } from '../requests.ts';
import { fieldsOfBody, operationTypes, type Asked } from './asked-fields.ts';
import { findingsOf, pathText, type Finding } from './finding.ts';
import { fieldsOfFilters, fieldsOfQuery } from './query-fields.ts';
import type { DecodedDashboard, DecodedObject, DecodedVisualization } from './schemas.ts';
import { SPEC } from './validate-spec.ts';
import { at } from './walk.ts';

/** All documents, whenever: an index may hold old ones alone. */
const always = { from: 'now-200y', to: 'now+200y', filters: {} };

type Mapping = ReadonlyMap<string, string>;

/**
 * What only Elasticsearch can say of objects that are sound otherwise: whether the fields are there and of the types that are needed, each
 * search runs, and the rows are where the chart looks for them.
 * @throws SluiceError `ElasticsearchUnavailable`, `SettingsInvalid`
 */
export async function checkAnswers(search: SearchConnector, objects: readonly DecodedObject[]): Promise<Finding[]> {
  const views = new Map(objects.flatMap((one) => (one.type === 'index-pattern' ? [[one.id, one] as const] : [])));
  const mappings = new Map<string, Mapping | undefined>();
  const mappingOf = async (index: string): Promise<Mapping | undefined> => {
    if (!mappings.has(index)) mappings.set(index, await fetchMapping(search, index));
    return mappings.get(index);
  };
  const found: Finding[] = [];
  for (const object of objects) {
    const { all, add } = findingsOf(object);
    /** Of what is asked, and of which data view or index. */
    const asks: { index: string; asked: readonly Asked[] }[] = [];
    const viewOf = (name: string): string =>
      views.get(object.references.find((one) => one.name === name)?.id ?? '')?.attributes.title ?? '';
    if (object.type === 'index-pattern') {
      const { title, timeFieldName } = object.attributes;
      const time = {
        where: 'attributes.timeFieldName',
        field: timeFieldName ?? '',
        types: ['date'],
        by: 'a time range',
      };
      asks.push({ index: title, asked: timeFieldName === undefined ? [] : [time] });
    } else if (object.type === 'lens') {
      for (const [id, { columns }] of Object.entries(object.attributes.state.datasourceStates.formBased.layers)) {
        const base = `attributes.state.datasourceStates.formBased.layers.${id}.columns`;
        const asked = Object.entries(columns).flatMap(([name, { operationType, sourceField: field }]): Asked[] => {
          const types = operationTypes[operationType];
          return types === undefined ? [] : [{ where: `${base}.${name}.sourceField`, field, types, by: operationType }];
        });
        const filtered = Object.entries(columns).flatMap(([name, { filter }]) =>
          filter === undefined ? [] : fieldsOfQuery(filter, `${base}.${name}.filter`),
        );
        const { query, filters } = object.attributes.state;
        const narrowed = [
          ...fieldsOfQuery(query, 'attributes.state.query'),
          ...fieldsOfFilters(filters, 'attributes.state.filters'),
        ];
        const index = viewOf(`indexpattern-datasource-layer-${id}`);
        asks.push({ index, asked: [...asked, ...filtered, ...narrowed] });
      }
    } else if (object.type === 'dashboard') {
      for (const [id, { explicitInput }] of Object.entries(object.attributes.controlGroupInput?.panelsJSON ?? {})) {
        const where = `attributes.controlGroupInput.panelsJSON.${id}.explicitInput.fieldName`;
        const types = ['keyword', 'boolean', 'ip'];
        const asked = [{ where, field: explicitInput.fieldName, types, by: 'a list of values' }];
        asks.push({ index: viewOf(`controlGroup_${id}:optionsListDataView`), asked });
      }
      // Its own data view, where it names one; else that of the file’s first, which a dashboard’s own is.
      const { indexRefName } = object.attributes.kibanaSavedObjectMeta.searchSourceJSON;
      const [first] = views.values();
      const index = indexRefName === undefined ? first?.attributes.title : viewOf(indexRefName);
      asks.push({ index: index ?? '', asked: fieldsOfSource(object) });
    } else {
      for (const { path, index, body } of requestsOf(object.attributes.visState.params.spec, always)) {
        const asked = fieldsOfBody(body, pathText([SPEC, ...path, 'url', 'body']));
        asks.push({ index, asked: [...asked, ...fieldsOfSource(object)] });
      }
    }
    for (const { index, asked } of asks) {
      if (asked.length === 0 && object.type === 'dashboard') continue;
      const mapping = await mappingOf(index);
      if (mapping === undefined) {
        add(
          '',
          `asks ${index}, which is not there: let the pipeline run once, or name the alias that it is indexed under`,
        );
      } else checkFields(asked, mapping, index, add);
    }
    if (object.type === 'visualization' && all.length === 0) await checkSearches(search, object, add);
    found.push(...all);
  }
  return found;
}

/** Of the query and the filters that an object brings along. */
function fieldsOfSource(object: DecodedVisualization | DecodedDashboard): Asked[] {
  const { query, filter } = object.attributes.kibanaSavedObjectMeta.searchSourceJSON;
  const where = 'attributes.kibanaSavedObjectMeta.searchSourceJSON';
  return [...fieldsOfQuery(query, `${where}.query`), ...fieldsOfFilters(filter, `${where}.filter`)];
}

function checkFields(
  asked: readonly Asked[],
  mapping: Mapping,
  index: string,
  add: (where: string, what: string) => void,
): void {
  for (const { where, field, types, by } of asked) {
    const type = mapping.get(field);
    if (field.includes('*') && [...mapping.keys()].some((name) => fits(name, field))) continue;
    if (types === undefined && [...mapping.keys()].some((name) => name === field || name.startsWith(`${field}.`)))
      continue;
    if (type === undefined) add(where, `"${field}" is no field of ${index}: name one of its mapping`);
    else if (types?.includes(type) === false) {
      add(where, `"${field}" is ${type} in ${index}, and ${by} takes ${types.join(', ')}: name another field`);
    }
  }
}

/** `usage*`, as queries may name several fields. */
const fits = (name: string, pattern: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/[^\w*]/g, String.raw`\$&`).replaceAll('*', '.*')}$`).test(name);

async function checkSearches(
  search: SearchConnector,
  object: DecodedVisualization,
  add: (where: string, what: string) => void,
): Promise<void> {
  const { spec } = object.attributes.visState.params;
  for (const { path, index, body } of requestsOf(spec, always)) {
    let answer: Json;
    try {
      answer = (await search.request(`a search of ${object.id}`, (client) =>
        client.search({ index, ...(body as JsonObject) }),
      )) as unknown as Json;
    } catch (error) {
      const refused = error instanceof SluiceError && error.facts['status'] === 400;
      if (!refused) throw error;
      add(
        pathText([SPEC, ...path, 'url', 'body']),
        `is no search that Elasticsearch runs. ${sentenceOf(error).replace(/\.$/, '')}`,
      );
      continue;
    }
    const { format } = path.reduce<Json>((inner, key) => (inner as JsonObject)[key] as Json, spec) as {
      format: { property: string };
    };
    const rows = at(answer, format.property);
    if (!areRows(rows, format.property.split('.').at(-1) ?? '')) {
      const where = pathText([SPEC, ...path, 'format', 'property']);
      add(
        where,
        `"${format.property}" ${rows === undefined ? 'is nowhere' : 'holds no rows'} in what Elasticsearch answers: it has ${placesIn(answer)}`,
      );
    }
  }
}

/**
 * Whether a chart can take for rows what stands somewhere in an answer: a list, buckets by their keys, or one row with the values of a metric.
 * @param key under which it stands
 */
export function areRows(value: Json | undefined, key: string): boolean {
  if (Array.isArray(value)) return true;
  if (!isObject(value)) return false;
  const members = Object.values(value);
  if (key === 'buckets') return members.every((bucket) => isObject(bucket) && 'doc_count' in bucket);
  return members.length > 0 && members.every((member) => typeof member !== 'object' || member === null);
}

/** Where rows are in an answer. */
function placesIn(answer: Json): string {
  const found: string[] = [];
  const visit = (value: Json | undefined, path: string): void => {
    if (Array.isArray(value) || path.endsWith('.buckets')) found.push(path);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value as JsonObject))
        visit(inner, path === '' ? key : `${path}.${key}`);
    }
  };
  visit(at(answer, 'aggregations'), 'aggregations');
  return found.length === 0 ? 'no list' : found.slice(0, 5).join(', ');
}

/** Fields and their types, those inside of objects by their whole names; undefined where there is no such index. */
async function fetchMapping(search: SearchConnector, index: string): Promise<Mapping | undefined> {
  const answer = await search.request(`the mapping of ${index}`, (client) =>
    client.indices.getMapping({ index, ignore_unavailable: true, allow_no_indices: true }),
  );
  const all = Object.values(answer);
  if (all.length === 0) return undefined;
  const types = new Map<string, string>();
  const visit = (properties: Readonly<Record<string, unknown>>, prefix: string): void => {
    for (const [name, property] of Object.entries(properties)) {
      const { type, properties: inner } = property as { type?: string; properties?: Record<string, unknown> };
      if (inner !== undefined) visit(inner, `${prefix}${name}.`);
      else if (type !== undefined) types.set(`${prefix}${name}`, type);
    }
  };
  for (const { mappings } of all) visit(mappings.properties ?? {}, '');
  return types;
}
