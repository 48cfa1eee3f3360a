interface CaseTable {
  readonly map: ReadonlyMap<string, string>;
  /** The same as two texts of equal length, letter for letter. */
  readonly from: string;
  readonly to: string;
}

const made = new Map<'upper' | 'lower', CaseTable>();
/** Behind it no script has upper and lower case. */
const LAST_LETTER = 0x1e943;

/**
 * Letters and their upper or lower case where that is one letter. Engines follow different versions of Unicode and
 * different rules (ß, İ), so all of them take this table.
 */
export function caseTable(to: 'upper' | 'lower'): CaseTable {
  const before = made.get(to);
  if (before) return before;
  const map = new Map<string, string>();
  for (let code = 0x41; code <= LAST_LETTER; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const letter = String.fromCodePoint(code);
    const other = to === 'upper' ? letter.toUpperCase() : letter.toLowerCase();
    if (other !== letter && Array.from(other).length === 1) map.set(letter, other);
  }
  const table = { map, from: [...map.keys()].join(''), to: [...map.values()].join('') };
  made.set(to, table);
  return table;
}
