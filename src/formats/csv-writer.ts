import type { TextColumns } from './text-columns.ts';

/**
 * A line of CSV as Sluice and DuckDB's `COPY … (NULLSTR '')` write it, without the line end: null is nothing, an empty
 * text is `""`.
 */
export function csvLine(values: readonly (string | null)[]): string {
  return values.map(csvField).join(',');
}

function csvField(value: string | null): string {
  if (value === null) return '';
  if (value !== '' && !/[",\r\n#]/.test(value)) return value;
  return `"${value.replaceAll('"', '""')}"`;
}

const QUOTE = 34;
const COMMA = 44;

/** Rows as plain RFC 4180: commas, CRLF, quotes only where they are needed. UTF-8. */
export function csvRows(cells: TextColumns): Buffer {
  const columns = Array.from({ length: cells.columns }, (_, at) => cells.cells(at));
  const size = columns.reduce((sum, { data }) => sum + data.length, 0);
  // Every byte may be a quote, and every cell be quoted.
  const out = Buffer.allocUnsafe(size * 2 + cells.rows * (columns.length * 3 + 4));
  let end = 0;
  for (let row = 0; row < cells.rows; row++) {
    for (const [at, { data, offsets }] of columns.entries()) {
      const from = offsets[row] as number;
      const to = offsets[row + 1] as number;
      if (at > 0) out[end++] = COMMA;
      // A row of one empty field would be a blank line.
      const quoted = needsQuotes(data, from, to) || (columns.length === 1 && from === to);
      if (quoted) out[end++] = QUOTE;
      for (let next = from; next < to; next++) {
        const byte = data[next] as number;
        if (byte === QUOTE) out[end++] = QUOTE;
        out[end++] = byte;
      }
      if (quoted) out[end++] = QUOTE;
    }
    out[end++] = 13;
    out[end++] = 10;
  }
  return out.subarray(0, end);
}

function needsQuotes(data: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = data[at];
    if (byte === QUOTE || byte === COMMA || byte === 10 || byte === 13) return true;
  }
  return false;
}

/** A header as {@link csvRows} writes rows. */
export function csvHeader(names: readonly string[]): string {
  const fields = names.map((name) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  return `${names.length === 1 && names[0] === '' ? '""' : fields.join(',')}\r\n`;
}
