import type { Json, JsonObject } from '../panel.ts';
import type { SavedObject } from './saved-object.ts';
import { isObject } from './walk.ts';

/** Strings that hold JSON, by their names. */
const encoded: ReadonlySet<string> = new Set([
  ...['visState', 'uiStateJSON', 'searchSourceJSON', 'fieldFormatMap', 'runtimeFieldMap', 'spec'],
  ...['panelsJSON', 'optionsJSON', 'ignoreParentSettingsJSON'],
]);

/** What is compared of an object. Versions, times and who changed it are Kibana’s own. */
const compared = ({ attributes = {}, references = [] }: Partial<SavedObject>): JsonObject => ({
  attributes: opened(attributes),
  references: references.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

/**
 * An object as it is wanted and as it stands in Kibana, in a form in which what is the same is equal: strings of JSON are opened, lists that
 * have no order have one, and what Kibana adds to what was imported (defaults, times, fields of later versions) is left out.
 */
export function comparable(wanted: SavedObject, standing: JsonObject): { wanted: JsonObject; standing: JsonObject } {
  const here = compared(wanted);
  const there = compared(standing as Partial<SavedObject>);
  return { wanted: here, standing: asFarAs(here, there) as JsonObject };
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

/** Of what stands only that which is wanted, in the same order. What is wanted and empty may be missing: Kibana drops it. */
function asFarAs(wanted: Json, standing: Json | undefined): Json | undefined {
  if (standing === undefined) return isEmpty(wanted) ? wanted : undefined;
  if (isObject(wanted) && isObject(standing)) {
    const kept = Object.entries(wanted).map(([key, value]) => [key, asFarAs(value, standing[key])] as const);
    return Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as JsonObject;
  }
  if (Array.isArray(wanted) && Array.isArray(standing) && wanted.length === standing.length) {
    return wanted.map((item, at) => asFarAs(item as Json, standing[at] as Json) ?? null);
  }
  return standing;
}

const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
