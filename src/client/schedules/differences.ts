import { canonicalJson, type Json } from '../../definition/canonical-json.ts';

/** A field that stands otherwise than it should. Absent: it is not there. */
export interface Difference {
  /** `overlap`, `input.pipeline.columns.ZIP.type`. A path ending in `(order)` holds names whose order matters. */
  readonly path: string;
  readonly old?: Json;
  readonly new?: Json;
}

type Fields = { readonly [key: string]: Json | undefined };

/** Field by field, in the order of `wanted`. Lists of plain values are one field; the order of an object's members counts. */
export function differencesOf(stands: Json | undefined, wanted: Json | undefined, path = ''): Difference[] {
  if (isFields(stands) && isFields(wanted)) return ofFields(stands, wanted, path);
  if (isListOfFields(stands) && isListOfFields(wanted) && stands.length === wanted.length) {
    return stands.flatMap((item, at) => differencesOf(item, wanted[at], `${path}.${at}`));
  }
  if (stands === wanted) return [];
  // Something that is null is not the same as nothing.
  if (stands !== undefined && wanted !== undefined && canonicalJson(stands) === canonicalJson(wanted)) return [];
  return [{ path, ...(stands === undefined ? {} : { old: stands }), ...(wanted === undefined ? {} : { new: wanted }) }];
}

function ofFields(stands: Fields, wanted: Fields, path: string): Difference[] {
  const all = [...new Set([...Object.keys(wanted), ...Object.keys(stands)])];
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const found = all.flatMap((key) => differencesOf(own(stands, key), own(wanted, key), below(key)));
  const common = (one: Fields, other: Fields): string[] =>
    Object.keys(one).filter((key) => own(other, key) !== undefined);
  const [before, after] = [common(stands, wanted), common(wanted, stands)];
  // The form itself has a fixed order; below it, the order of columns is that of the files.
  if (path === '' || before.join('\n') === after.join('\n')) return found;
  return [...found, { path: `${path} (order)`, old: before, new: after }];
}

/** Names are people's: a column may be called `constructor`. */
const own = (fields: Fields, key: string): Json | undefined => (Object.hasOwn(fields, key) ? fields[key] : undefined);
const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOfFields = (value: Json | undefined): value is readonly Fields[] =>
  Array.isArray(value) && value.length > 0 && value.every((item: Json) => isFields(item));
