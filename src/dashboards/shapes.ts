import type { Data, Spec } from 'vega';

/** A compiled chart that fetches the shapes of its map instead of bringing them along. @param places address by name */
export function withShapesFrom(spec: Spec, places: Readonly<Record<string, string>>): Spec {
  const data = spec.data?.map((one): Data => {
    const url = places[one.name];
    if (url === undefined || !('values' in one)) return one;
    const { values: _values, ...rest } = one;
    return { ...rest, url } as Data;
  });
  return data === undefined ? spec : { ...spec, data };
}
