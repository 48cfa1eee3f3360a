import { isObject } from '../../definition/is-object.ts';
import type { Json } from '../panel.ts';

export type Path = readonly (string | number)[];

/** Every value in a spec with its path, the outer ones first. What stands in `values` and `datasets` is data, and left out. */
export function* walk(value: Json, path: Path = []): Generator<readonly [Path, Json]> {
  yield [path, value];
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) yield* walk(item as Json, [...path, at]);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key !== 'values' && key !== 'datasets') yield* walk(item, [...path, key]);
    }
  }
}

/** What stands at a path like `aggregations.states.buckets`. */
export function at(value: Json | undefined, property: string): Json | undefined {
  let found = value;
  for (const key of property.split('.')) found = isObject(found) ? found[key] : undefined;
  return found;
}
