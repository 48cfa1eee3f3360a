import type { Store } from '../connectors/object-store.ts';
import type { QuarantineEntry } from '../definition/refs.ts';
import { csvLine } from '../formats/csv-writer.ts';
import { rejectedRows, type RejectedRow } from './quarantine.ts';

const columns: readonly (keyof RejectedRow)[] = [
  ...(['file', 'row', 'line', 'byteOffset', 'column', 'rule', 'value', 'reason', 'raw'] as const),
];

/** By which Excel knows UTF-8 when it opens a file; others pass over it. */
const BYTE_ORDER_MARK = '\uFEFF';

/** Characters; what goes out at a time. */
const CHUNK = 65_536;

/**
 * The rejected rows of an hour as CSV with a header, for a spreadsheet: what one would take for a formula has an apostrophe before it.
 * The first piece comes once the store has been asked.
 */
export async function* rejectedCsv(store: Store, entry: QuarantineEntry, signal?: AbortSignal): AsyncGenerator<string> {
  let text = `${BYTE_ORDER_MARK}${csvLine(columns)}\r\n`;
  for await (const row of rejectedRows(store, entry, signal)) {
    text += `${columns.map((column) => cellOf(row[column])).join(',')}\r\n`;
    if (text.length < CHUNK) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** A cell in quotes where one of the signs is in it that are between cells somewhere. */
function cellOf(value: string | number | undefined): string {
  if (typeof value !== 'string') return csvLine([value === undefined ? null : String(value)]);
  const text = neutral(value);
  const line = csvLine([text]);
  return /[;\t]/.test(text) && !line.startsWith('"') ? `"${line}"` : line;
}

/**
 * Text that no spreadsheet takes for a formula. Source: OWASP, CSV Injection: `=`, `+`, `-`, `@`, tab, CR and LF at its beginning, and the wide forms
 * of the first four, also behind what nobody sees (white space of any kind, zero width, a byte order mark, controls), which some spreadsheets take
 * off. Likewise what begins a cell where a spreadsheet takes semicolons or tabs for what is between cells: our quotes mean nothing to it then, so a
 * line end begins a cell, too. A negative number in a text gets its apostrophe like the rest: nobody can tell it from the beginning of a formula.
 */
export const neutral = (text: string): string => (BEGINS.test(text) ? `'${text}` : text).replaceAll(BEHIND, "$1'");

/** What nobody sees before a sign. */
const UNSEEN = String.raw`\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}`;
const SIGN = String.raw`[=+\-@＝＋－＠]`;
const BEGINS = new RegExp(String.raw`^(?:[\t\r\n]|[${UNSEEN}]*${SIGN})`, 'v');
// Without the signs with which it begins itself, or a cell of many of them would be looked through once for each.
const BEHIND = new RegExp(String.raw`([;\t\r\n][[${UNSEEN}"]--[\t\r\n]]*)(?=${SIGN})`, 'gv');
