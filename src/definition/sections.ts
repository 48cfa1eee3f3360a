import { jsonSchema } from './json-schema.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The names that may stand in the section at a path, for "did you mean". */
export function sectionAt(path: readonly (string | number)[]): string[] {
  let at: Schema[] = [jsonSchema() as Schema];
  for (const part of path) at = at.flatMap(flat).flatMap((schema) => below(schema, part));
  return [...new Set(at.flatMap(flat).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function flat(schema: Schema): Schema[] {
  return [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
}

function below(schema: Schema, part: string | number): Schema[] {
  if (typeof part === 'number') return schema.items ? [schema.items] : [];
  const named = schema.properties?.[part];
  if (named) return [named];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}
