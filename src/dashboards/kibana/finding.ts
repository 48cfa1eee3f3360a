import { nameOf } from './saved-object.ts';

/** Something that is wrong with a saved object. */
export interface Finding {
  /** Type and id, as `visualization sluice-data-broadband.usage`; a line of the file where it has none. */
  readonly object: string;
  /** Where in it, as a path through what its strings hold; empty for the object as a whole. */
  readonly where: string;
  /** What was found, and what to do. */
  readonly what: string;
}

/** One sentence. */
export const sentenceOfFinding = ({ object, where, what }: Finding): string =>
  `${object}${where === '' ? '' : `, ${where}`}: ${what}.`;

/** Notes what is wrong with one object. */
export function findingsOf(object: { readonly type: string; readonly id: string }): {
  readonly all: Finding[];
  add(where: string, what: string): void;
} {
  const all: Finding[] = [];
  return { all, add: (where, what) => void all.push({ object: nameOf(object), where, what }) };
}

/** `attributes.panelsJSON[2].gridData` */
export const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
