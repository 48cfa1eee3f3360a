import type { Dashboard, JsonObject, Panel } from '../panel.ts';

/** What one saved object says of another. The names follow rules of their type; see `validate-references.ts`. */
export type Reference = { readonly name: string; readonly type: ObjectType; readonly id: string };

/**
 * Versions of the types, as old as their form allows: Kibana migrates older ones as it imports them, and refuses newer ones than it knows.
 * Source: sample data and integrations of Kibana 8.8 to 9.
 */
export const typeVersions = {
  'index-pattern': '8.0.0',
  visualization: '8.0.0',
  lens: '8.9.0',
  dashboard: '8.7.0',
} as const;

export type ObjectType = keyof typeof typeVersions;

export const CORE_VERSION = '8.8.0';

/** A line of an NDJSON file that Kibana imports. */
export interface SavedObject {
  readonly id: string;
  readonly type: ObjectType;
  readonly coreMigrationVersion: string;
  readonly typeMigrationVersion: string;
  /** Objects that Kibana calls managed can be edited by nobody. */
  readonly managed: boolean;
  readonly references: readonly Reference[];
  readonly attributes: JsonObject;
}

/** An object with the envelope that Kibana’s own have. */
export function savedObject<T extends ObjectType>(
  type: T,
  id: string,
  attributes: JsonObject,
  references: readonly Reference[] = [],
): SavedObject {
  const typeMigrationVersion = typeVersions[type];
  return { id, type, coreMigrationVersion: CORE_VERSION, typeMigrationVersion, managed: false, references, attributes };
}

/** Ids that stay: links and bookmarks hold them, and an import writes over what has the same. */
export const ids = {
  view: ({ index, timeField }: Pick<Panel, 'index' | 'timeField'>): string => `sluice-view.${index}.${timeField}`,
  /** A dot stands in neither id, so that no two panels come to the same. */
  panel: (dashboard: Dashboard, { id }: Panel): string => `sluice-${dashboard.id}.${id}`,
  dashboard: ({ id }: Pick<Dashboard, 'id'>): string => `sluice-${id}`,
};

/** As sentences name it. */
export const nameOf = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type} ${id}`;

/** The file that Kibana imports: an object a line. */
export const ndjson = (objects: readonly SavedObject[]): string =>
  objects.map((object) => `${JSON.stringify(object)}\n`).join('');
