import { closest, distance } from 'fastest-levenshtein';

/** ` Did you mean "schedule"?`, where one of the names is near enough; else nothing. */
export function didYouMean(text: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const best = closest(text.toLowerCase(), [...names]);
  const near = distance(text.toLowerCase(), best.toLowerCase()) <= Math.max(1, Math.floor(text.length / 3));
  return near ? ` Did you mean "${best}"?` : '';
}
