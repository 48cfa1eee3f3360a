import { closest, distance } from 'fastest-levenshtein';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';

/** Columns that every parsed object has beside the source's own. */
export const originColumns = ['_file', '_row', '_line', '_offset'] as const;

/** Header names, trimmed and made unique: `a,a,,` → `a`, `a_2`, `column_3`, `column_4`. */
export function uniqueHeader(names: readonly string[]): string[] {
  const taken = new Set<string>(originColumns);
  // A name that stands in the file itself keeps it, whatever was made up for another.
  const own = new Set(names.map((name) => name.trim()));
  return names.map((name, at) => {
    const base = name.trim() === '' ? `column_${at + 1}` : name.trim();
    let unique = base;
    for (let n = 2; taken.has(unique) || (unique !== base && own.has(unique)); n++) unique = `${base}_${n}`;
    taken.add(unique);
    return unique;
  });
}

/** Columns at the end of a parsed object's header that do not stand in the file. */
export const addedColumns = ({ source: { nameColumn } }: Pipeline): number => (nameColumn === undefined ? 0 : 1);

/**
 * Where a declared column stands in the header: its 0-based position, or -1. `#3` is the third, unless one is named so.
 * @param added As {@link addedColumns} has it; they have no number.
 */
export function positionOf(header: readonly string[], sourceName: string, added = 0): number {
  const named = header.indexOf(sourceName.trim());
  const [, nth] = /^#([1-9][0-9]{0,4})$/.exec(sourceName.trim()) ?? [];
  if (named !== -1 || nth === undefined) return named;
  return Number(nth) <= header.length - added ? Number(nth) - 1 : -1;
}

/**
 * Compares the header with the definition.
 * @returns The columns of the file that the definition does not name.
 * @throws SluiceError `SourceColumnMissing`, `SchemaDrift`
 */
export function checkHeader(pipeline: Pipeline, header: readonly string[], where: string): string[] {
  const declared = Object.keys(pipeline.columns).map((name) => name.trim());
  const positions = declared.map((name) => positionOf(header, name, addedColumns(pipeline)));
  const missing = declared.filter((_, at) => positions[at] === -1);
  const found = new Set(positions);
  const unknown = header.filter((_, at) => !found.has(at));
  if (missing.length > 0) {
    const named = missing.map((name) => {
      const near = unknown.length > 0 ? closest(name, unknown) : undefined;
      const close =
        near !== undefined && distance(name.toLowerCase(), near.toLowerCase()) <= Math.max(2, name.length / 3);
      return close ? `"${name}" (did it become "${near}"?)` : `"${name}"`;
    });
    throw new SluiceError(
      'SourceColumnMissing',
      `${where} has no column ${named.join(', ')}; its header is ${shownHeader(header)}. ` +
        'Correct the columns of the definition, or fetch the hour again (--refetch) once the source is right.',
      { facts: { missing, header } },
    );
  }
  if (unknown.length > 0 && pipeline.contract.columns === 'freeze') {
    throw new SluiceError(
      'SchemaDrift',
      `${where} has the new column ${unknown.map((name) => `"${name}"`).join(', ')}, and contract.columns is freeze: ` +
        'add it to the columns of the definition, or set contract.columns to evolve or discard_value.',
      { facts: { unknown, header } },
    );
  }
  return unknown;
}

function shownHeader(header: readonly string[]): string {
  const shown = header.slice(0, 30).map((name) => `"${name.slice(0, 60)}"`);
  return header.length > shown.length
    ? `${shown.join(', ')} and ${header.length - shown.length} more`
    : shown.join(', ');
}
