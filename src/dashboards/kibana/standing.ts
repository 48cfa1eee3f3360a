import { canonicalJson } from '../../definition/canonical-json.ts';
import { isObject } from '../../definition/is-object.ts';
import type { Json, JsonObject } from '../panel.ts';
import type { Standing } from './origin.ts';
import { nameOf, type SavedObject } from './saved-object.ts';
import type { Path } from './walk.ts';

/** Strings that hold JSON, by their names. */
const encoded: ReadonlySet<string> = new Set([
  ...['visState', 'uiStateJSON', 'searchSourceJSON', 'fieldFormatMap', 'runtimeFieldMap', 'fieldAttrs', 'spec'],
  ...['sourceFilters', 'typeMeta', 'fields', 'panelsJSON', 'optionsJSON', 'ignoreParentSettingsJSON'],
]);

/** What is compared of an object. Versions, times and who changed it are Kibana’s own. */
const compared = ({ attributes = {}, references = [] }: Partial<SavedObject>): JsonObject => ({
  attributes: opened(attributes),
  references: references.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

/**
 * An object as it is wanted and as it stands in Kibana, in a form in which what is the same is equal: strings of JSON are opened, lists that
 * have no order have one, versions are left out, and so is what Kibana itself adds ({@link addedByKibana}) and drops. All else that stands
 * there is of people, and the next import would destroy it.
 * @param others what stands of the objects that it refers to: a reference leads to the id that one has there
 */
export function comparable(
  wanted: SavedObject,
  standing: JsonObject,
  others: Standing = new Map(),
): { wanted: JsonObject; standing: JsonObject } {
  const references = wanted.references.map((one) => ({ ...one, id: others.get(nameOf(one))?.[0]?.id ?? one.id }));
  const here = without(compared({ ...wanted, references }), isVersion) as JsonObject;
  const there = without(compared(standing as Partial<SavedObject>), isVersion) as JsonObject;
  return { wanted: here, standing: inOrderOf(here, there, []) as JsonObject };
}

function opened(value: Json, name = ''): Json {
  if (typeof value === 'string' && encoded.has(name)) {
    try {
      return opened(JSON.parse(value) as Json, `${name}:opened`);
    } catch {
      // Somebody edited it by hand: it is compared as it is.
      return value;
    }
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => opened(item as Json));
    return name === 'panelsJSON:opened' ? items.toSorted(byPanel) : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, opened(item, key)]));
}

const byPanel = (a: Json, b: Json): number => (panelOf(a) < panelOf(b) ? -1 : 1);
const panelOf = (panel: Json): string => JSON.stringify(isObject(panel) ? (panel['panelIndex'] ?? '') : '');

/** Of the form in which an object or a panel was written last. */
const isVersion = ([first, second, ...rest]: Path): boolean =>
  first === 'attributes' &&
  ((second === 'version' && rest.length === 0) ||
    (second === 'panelsJSON' && rest.length === 2 && rest[1] === 'version'));

/** A chart’s own text: Kibana adds nothing to it, and an empty member of it may mean much (`"legend": null`). */
const inSpec = (path: Path): boolean => path[1] === 'visState' && path[3] === 'spec';

/**
 * Whether Kibana adds such a member by itself, as it migrates an object or saves one in which somebody changed something else: nothing, what
 * stands for nothing, how often somebody looked at a field, and its defaults.
 */
function addedByKibana(path: Path, value: Json): boolean {
  if (inSpec(path)) return false;
  if (isNothing(value)) return true;
  const [, attribute, ...rest] = path;
  const last = path.at(-1) ?? '';
  if (attribute === 'hits') return value === 0;
  if (attribute === 'fieldAttrs') return rest.length === 2 && last === 'count';
  if (attribute === 'optionsJSON') return last === 'autoApplyFilters' && value === true;
  if (attribute === 'controlGroupInput' && path.at(-2) === 'explicitInput') {
    return (
      Object.hasOwn(controlDefaults, last) && canonicalJson(controlDefaults[last] ?? null) === canonicalJson(value)
    );
  }
  return false;
}

/** Source: controls_constants of Kibana 9. */
const controlDefaults: JsonObject = {
  searchTechnique: 'prefix',
  sort: { by: '_count', direction: 'desc' },
};

/** What stands, in the order of what is wanted. What is wanted and empty may be missing: Kibana drops it. */
function inOrderOf(wanted: Json | undefined, standing: Json | undefined, path: Path): Json | undefined {
  if (standing === undefined) return wanted !== undefined && isNothing(wanted) && !inSpec(path) ? wanted : undefined;
  if (isObject(standing) && (isObject(wanted) || wanted === undefined)) {
    const keys = new Set([...Object.keys(wanted ?? {}), ...Object.keys(standing)]);
    const kept = [...keys].map(
      (key) => [key, inOrderOf(own(wanted, key), own(standing, key), [...path, key])] as const,
    );
    const all = Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as JsonObject;
    return wanted === undefined && addedByKibana(path, all) ? undefined : all;
  }
  if (Array.isArray(wanted) && Array.isArray(standing) && wanted.length === standing.length) {
    return wanted.map((item, at) => inOrderOf(item as Json, standing[at] as Json, [...path, at]) ?? null);
  }
  return wanted === undefined && addedByKibana(path, standing) ? undefined : standing;
}

const own = (value: Json | undefined, key: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

function without(value: Json, left: (path: Path) => boolean, path: Path = []): Json {
  if (Array.isArray(value)) return value.map((item, at) => without(item as Json, left, [...path, at]));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !left([...path, key]));
  return Object.fromEntries(kept.map(([key, item]) => [key, without(item, left, [...path, key])]));
}

/** `{}`, `[]`, `false`, `''`, `null`. */
const isNothing = (value: Json): boolean =>
  value === false || value === '' || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
