import { SluiceError } from '../../definition/errors.ts';
import { FAULT_RAW_BYTES } from '../../formats/csv-dialect.ts';
import { parseJson, rowsOf, type JsonRow } from '../../formats/json-table.ts';
import { TextColumns } from '../../formats/text-columns.ts';
import { uniqueHeader } from './header.ts';
import type { RawContent } from './raw-content.ts';
import type { ReadRules, Table, TableHints, TableRead } from './table.ts';

/** A page is parsed as a whole, so it has a size that memory can take. */
export const PAGE_BYTES = 64 * 1024 * 1024;

/**
 * An answer in JSON as a table: the members of the first page's rows are the header, with those that the definition names.
 * A row's line is its number on its page, its byte that of its page.
 * @throws SluiceError `SourceNotCsv`, `SourceEmpty`, `SourceTooLarge`
 */
export async function jsonTable(content: RawContent, rules: ReadRules, hints: TableHints): Promise<Table> {
  const { wanted, where } = hints;
  const pages = pagesOf(content, hints);
  const first = await pages(() => {}).next();
  if (first.done) throw new SluiceError('SourceEmpty', `${where} is empty.`);
  const names = new Set<string>(wanted);
  for (const row of rowsOf(parseJson(first.value.bytes, where), rules.answer.rows, where)) {
    if (row instanceof Map) for (const name of (row as JsonRow).keys()) names.add(name);
  }
  if (names.size > rules.limits.columns) {
    throw new SluiceError(
      'SourceMalformed',
      `The rows of ${where} have ${names.size} members, and source.limits.columns is ${rules.limits.columns}.`,
    );
  }
  const members = [...names];
  return {
    header: uniqueHeader(members),
    format: `JSON${hints.pages && hints.pages.length > 1 ? ` in ${hints.pages.length} pages` : ''}`,
    notes: [],
    rows: (input) => rows(pages(input.progress), members, rules, where, input),
    skipped: () => ({ preamble: 0, comments: 0, blank: 0, replacedBytes: 0 }),
  };
}

async function* rows(
  pages: AsyncGenerator<{ bytes: Buffer; offset: number }>,
  members: readonly string[],
  rules: ReadRules,
  where: string,
  { rowsBefore, batchRows, batchBytes, onFault }: TableRead,
): AsyncGenerator<TextColumns> {
  const cells = new TextColumns(members.length);
  const { fieldLength } = rules.limits;
  let row = rowsBefore;
  for await (const { bytes, offset } of pages) {
    let line = 0;
    for (const item of rowsOf(parseJson(bytes, where), rules.answer.rows, where)) {
      row++;
      line++;
      const fault = faultOf(item, fieldLength);
      if (fault) {
        onFault({ row, line, offset, ...fault });
        continue;
      }
      let size = 0;
      for (const [at, name] of members.entries()) {
        const text = Buffer.from((item as JsonRow).get(name) ?? '');
        cells.write(at, text, 0, text.length);
        cells.close(at, false);
        size += text.length;
      }
      cells.commit(row, line, offset, members.length, size);
      if (cells.rows < batchRows && cells.bytes < batchBytes()) continue;
      yield cells;
      cells.clear();
    }
  }
  if (cells.rows > 0) yield cells;
}

function faultOf(
  item: JsonRow | { readonly raw: string },
  fieldLength: number,
): { kind: 'shape' | 'length'; reason: string; raw: string } | undefined {
  if ('raw' in item) return { kind: 'shape', reason: 'the row is no object', raw: item.raw.slice(0, FAULT_RAW_BYTES) };
  for (const [name, text] of item) {
    if (text.length > fieldLength) {
      const raw = JSON.stringify(Object.fromEntries(item)).slice(0, FAULT_RAW_BYTES);
      return { kind: 'length', reason: `the member ${name} is too long`, raw };
    }
  }
  return undefined;
}

/** The pages of a file, each whole in memory. */
function pagesOf(content: RawContent, hints: TableHints) {
  return async function* (progress: (bytes: number) => void): AsyncGenerator<{ bytes: Buffer; offset: number }> {
    const lengths = [...(hints.pages ?? [])];
    let held: Buffer[] = [];
    let length = 0;
    let offset = 0;
    for await (const chunk of content.bytes(progress)) {
      held.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > PAGE_BYTES && (lengths[0] ?? Infinity) > PAGE_BYTES) {
        throw new SluiceError(
          'SourceTooLarge',
          `A page of ${hints.where} has more than ${PAGE_BYTES} bytes: ask for smaller pages.`,
        );
      }
      for (let next = lengths[0]; next !== undefined && length >= next; next = lengths[0]) {
        lengths.shift();
        const all = Buffer.concat(held);
        yield { bytes: all.subarray(0, next), offset };
        offset += next;
        held = [all.subarray(next)];
        length -= next;
      }
    }
    if (length > 0) yield { bytes: Buffer.concat(held), offset };
  };
}
