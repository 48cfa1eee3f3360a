import type { Store } from '../connectors/object-store.ts';
import type { QuarantineEntry } from '../definition/refs.ts';
import { csvLine } from '../formats/csv-writer.ts';
import { rejectedRows, type RejectedRow } from './quarantine.ts';

const columns: readonly (keyof RejectedRow)[] = [
  ...(['file', 'row', 'line', 'byteOffset', 'column', 'rule', 'value', 'reason', 'raw'] as const),
];

/** Characters; what goes out at a time. */
const CHUNK = 65_536;

/**
 * The rejected rows of an hour as CSV with a header, for a spreadsheet: what one would take for a formula has an apostrophe before it.
 * The first piece comes once the store has been asked.
 */
export async function* rejectedCsv(store: Store, entry: QuarantineEntry, signal?: AbortSignal): AsyncGenerator<string> {
  let text = `${csvLine(columns)}\r\n`;
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
 * of the first four. Likewise what begins a cell where a spreadsheet takes semicolons or tabs for what is between cells: our quotes mean nothing to it
 * then, so a line end begins a cell, too.
 */
export const neutral = (text: string): string =>
  (/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text).replaceAll(BEHIND, "$1'");

const BEHIND = /([;\t\r\n][" ]*)(?=[=+\-@＝＋－＠])/g;
