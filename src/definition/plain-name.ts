/** Letters that are no plain one with a mark. */
const PLAIN: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', ø: 'o', ł: 'l', đ: 'd', œ: 'oe' };

/** What a column's name can be made of: `Größe (m²)` → `grosse_m2`. Empty where nothing of it is a plain letter or digit. */
export function plainName(source: string, length: number): string {
  return source
    .replaceAll(/[ßæøłđœÆØŁĐŒ]/g, (letter) => PLAIN[letter.toLowerCase()] ?? letter)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, length)
    .replace(/_+$/, '');
}
