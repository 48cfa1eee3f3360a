/** Fields that every document has beside its columns; no column may have these names. */
export const reservedFields = ['batch', 'hour', 'generation', 'location', 'sluice'] as const;

/** The same for a mode of the index: in `latest` a document also says whether its key is there. */
export const reservedIn = (mode: 'history' | 'latest'): readonly string[] =>
  mode === 'latest' ? [...reservedFields, 'present'] : reservedFields;
