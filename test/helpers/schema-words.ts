interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema | readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** What a reader can write in some sections of a JSON Schema: names of settings, and words that stand for a choice. */
export function schemaWords(root: Schema, sections: readonly string[]): string[] {
  const words = new Set<string>();
  const seen = new Set<Schema>();
  const look = (schema: Schema | boolean | undefined): void => {
    if (typeof schema !== 'object' || seen.has(schema)) return;
    seen.add(schema);
    const named = /^#\/definitions\/(.+)$/.exec(schema.$ref ?? '')?.[1];
    if (named !== undefined) look(root.definitions?.[named]);
    for (const word of [...Object.keys(schema.properties ?? {}), ...(schema.enum ?? [])]) {
      // Marks like a comma are no words.
      if (typeof word === 'string' && /^\w/.test(word)) words.add(word);
    }
    Object.values(schema.properties ?? {}).forEach(look);
    look(schema.additionalProperties);
    [schema.items ?? [], schema.anyOf ?? [], schema.allOf ?? []].flat().forEach(look);
  };
  for (const section of sections) look(root.properties?.[section]);
  return [...words];
}
