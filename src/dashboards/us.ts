import { createRequire } from 'node:module';
import type { Json, JsonObject } from './panel.ts';

/** States by their two letters: FIPS code, as the shapes have it for an id, and name. Source: ANSI INCITS 38, as the Census Bureau publishes it. */
export const states: Readonly<Record<string, readonly [fips: string, name: string]>> = {
  ...{ AL: ['01', 'Alabama'], AK: ['02', 'Alaska'], AZ: ['04', 'Arizona'], AR: ['05', 'Arkansas'] },
  ...{ CA: ['06', 'California'], CO: ['08', 'Colorado'], CT: ['09', 'Connecticut'], DE: ['10', 'Delaware'] },
  ...{ DC: ['11', 'District of Columbia'], FL: ['12', 'Florida'], GA: ['13', 'Georgia'], HI: ['15', 'Hawaii'] },
  ...{ ID: ['16', 'Idaho'], IL: ['17', 'Illinois'], IN: ['18', 'Indiana'], IA: ['19', 'Iowa'] },
  ...{ KS: ['20', 'Kansas'], KY: ['21', 'Kentucky'], LA: ['22', 'Louisiana'], ME: ['23', 'Maine'] },
  ...{ MD: ['24', 'Maryland'], MA: ['25', 'Massachusetts'], MI: ['26', 'Michigan'], MN: ['27', 'Minnesota'] },
  ...{ MS: ['28', 'Mississippi'], MO: ['29', 'Missouri'], MT: ['30', 'Montana'], NE: ['31', 'Nebraska'] },
  ...{ NV: ['32', 'Nevada'], NH: ['33', 'New Hampshire'], NJ: ['34', 'New Jersey'], NM: ['35', 'New Mexico'] },
  ...{ NY: ['36', 'New York'], NC: ['37', 'North Carolina'], ND: ['38', 'North Dakota'], OH: ['39', 'Ohio'] },
  ...{ OK: ['40', 'Oklahoma'], OR: ['41', 'Oregon'], PA: ['42', 'Pennsylvania'], RI: ['44', 'Rhode Island'] },
  ...{ SC: ['45', 'South Carolina'], SD: ['46', 'South Dakota'], TN: ['47', 'Tennessee'], TX: ['48', 'Texas'] },
  ...{ UT: ['49', 'Utah'], VT: ['50', 'Vermont'], VA: ['51', 'Virginia'], WA: ['53', 'Washington'] },
  ...{ WV: ['54', 'West Virginia'], WI: ['55', 'Wisconsin'], WY: ['56', 'Wyoming'], AS: ['60', 'American Samoa'] },
  ...{ GU: ['66', 'Guam'], MP: ['69', 'Northern Mariana Islands'], PR: ['72', 'Puerto Rico'] },
  ...{ VI: ['78', 'United States Virgin Islands'] },
};

/** The same as rows of a chart, which are looked up by `id` (of a shape) or by `letters` (of our data). */
export const stateRows: readonly JsonObject[] = Object.entries(states).map(([letters, [id, name]]) => ({
  letters,
  id,
  name,
}));

/** Shapes by the name that a panel’s `datasets` gives them: the Census Bureau’s, as package `us-atlas` has them. */
export const shapeNames = ['us-states', 'us-counties'] as const;
export type ShapeName = (typeof shapeNames)[number];

const files: Readonly<Record<ShapeName, string>> = {
  'us-states': 'us-atlas/states-10m.json',
  'us-counties': 'us-atlas/counties-10m.json',
};
const read = new Map<ShapeName, JsonObject>();

/** TopoJSON, read at the first call. Ids are FIPS codes with their zeros; `us-counties` has the states too. */
export function shapes(name: ShapeName): JsonObject {
  const known = read.get(name) ?? (createRequire(import.meta.url)(files[name]) as JsonObject);
  read.set(name, known);
  return known;
}

/** `datasets` of a spec with these shapes. */
export const shapeSets = (...names: readonly ShapeName[]): Readonly<Record<string, Json>> =>
  Object.fromEntries(names.map((name) => [name, shapes(name)]));
