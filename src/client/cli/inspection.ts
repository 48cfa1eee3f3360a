import type { Input } from '../../inspecting/input.ts';
import type { Inspection } from '../../inspecting/inspect.ts';
import { boldOut, count } from './screen.ts';

/** Rejected rows that the text shows. */
const SHOWN = 5;
const shown = (text: string): string =>
  text === '\t' ? 'tab' : text === '' ? 'none' : text.includes('"') ? `'${text}'` : `"${text}"`;

/** What was found, for programs. Places are 1-based lines and 0-based bytes of the file without its compression. */
export function inspectionJson(file: string, input: Input, found: Inspection): object {
  const { format, header, rows, rejectedBy, rejects, skipped, columns, keys, profiled, notes, compression } = found;
  const { dialect } = format;
  return {
    file,
    bytes: input.bytes,
    compression,
    encoding: format.encoding,
    bom: format.bom > 0,
    delimiter: dialect.delimiter,
    quote: dialect.quote,
    escape: dialect.escape,
    comment: dialect.comment,
    preamble: { lines: format.skipRows },
    headerRows: format.headerRows,
    header,
    rows,
    skipped,
    rejectedBy,
    rejects: rejects.map(({ row, line, offset, kind, reason, raw }) => ({
      row,
      line,
      byteOffset: offset,
      kind,
      reason,
      raw,
    })),
    columns: columns.map(({ source, ...column }) => ({ name: source, ...column })),
    keys,
    profiledRows: profiled,
    notes,
  };
}

/** What was found, for people. */
export function inspectionLines(file: string, input: Input, found: Inspection): string[] {
  const { format, rows, rejects, rejectedBy, columns, keys, profiled, skipped, notes, compression } = found;
  const { dialect, skipRows, headerRows } = format;
  const line = (title: string, text: string): string => `${title.padEnd(12)}${text}`;
  const lines = [
    boldOut(file),
    line('bytes', `${count(input.bytes)}${compression === 'none' ? '' : `, ${compression}`}`),
    line('encoding', `${format.encoding}${format.bom > 0 ? ' with a byte order mark' : ''}`),
    line(
      'dialect',
      `delimiter ${shown(dialect.delimiter)}, quote ${shown(dialect.quote)}${dialect.escape === dialect.quote ? '' : `, escape ${shown(dialect.escape)}`}${dialect.comment === '' ? '' : `, comments ${shown(dialect.comment)}`}`,
    ),
    line(
      'header',
      `${headerRows === 0 ? 'none' : `line ${skipRows + 1}${headerRows === 2 ? ' and the next' : ''}`}${skipRows > 0 ? `, below ${skipRows} lines of preamble` : ''}`,
    ),
    line('rows', `${count(rows.read)} read = ${count(rows.parsed)} parsed + ${count(rows.rejected)} rejected`),
  ];
  const passed = [
    ...(skipped.comments > 0 ? [`${count(skipped.comments)} comments`] : []),
    ...(skipped.blank > 0 ? [`${count(skipped.blank)} blank lines`] : []),
  ];
  if (passed.length > 0) lines.push(line('passed over', passed.join(', ')));
  for (const [kind, rejected] of Object.entries(rejectedBy))
    lines.push(line('', `${count(rejected)} rejected for ${kind}`));
  for (const reject of rejects.slice(0, SHOWN)) {
    lines.push(
      line(
        '',
        `line ${reject.line}, byte ${reject.offset}: ${reject.reason}: ${JSON.stringify(reject.raw.slice(0, 60))}`,
      ),
    );
  }
  if (rejects.length > SHOWN)
    lines.push(line('', `… and ${count(rows.rejected - SHOWN)} more (--json tells the first hundred)`));
  const wide = Math.min(40, Math.max(...columns.map(({ source }) => source.length), 6));
  lines.push(
    '',
    `${'column'.padEnd(wide)}  ${'type'.padEnd(14)}  ${'missing'.padStart(9)}  ${'different'.padStart(9)}  like`,
  );
  for (const column of columns) {
    const type = column.type === 'decimal' ? `decimal(${column.precision},${column.scale})` : column.type;
    const examples = column.examples.map((text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text)).join(', ');
    const words = column.missing.length > 1 ? `   missing words: ${column.missing.slice(1).join(' ')}` : '';
    const marks = column.number ? `   written 1${column.number.thousands}000${column.number.decimal}5` : '';
    const remark = column.remark === undefined ? '' : `   (${column.remark})`;
    lines.push(
      `${column.source.slice(0, wide).padEnd(wide)}  ${type.padEnd(14)}  ${count(column.missingCount).padStart(9)}  ${count(column.distinct ?? 0).padStart(9)}  ${examples}${marks}${words}${remark}`,
    );
  }
  lines.push(
    '',
    line(
      'key',
      keys.length === 0 ? 'no column or pair tells every row apart' : keys.map((key) => key.join(' + ')).join(', or '),
    ),
  );
  if (profiled < rows.parsed) lines.push(line('', `types and keys are from the first ${count(profiled)} rows`));
  lines.push(...notes.map((note) => line('note', note)));
  return lines;
}
