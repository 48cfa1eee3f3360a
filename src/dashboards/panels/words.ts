/** A field’s name for people: `usage_band` is "Usage band". */
export function words(field: string): string {
  const spaced = field.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The same within a sentence. */
export const lower = (field: string): string => field.replaceAll('_', ' ');
