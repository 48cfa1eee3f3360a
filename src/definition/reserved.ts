/** Fields that every document has beside its columns; no column may have these names. */
export const reservedFields = ['batch', 'hour', 'generation', 'location', 'sluice'] as const;
