import { SluiceError } from '../definition/errors.ts';
import type { DeclaredFormat, Encoding } from '../definition/format.ts';
import type { CsvDialect } from './csv-dialect.ts';
import { readSample, sampleText, type SampleRow } from './csv-sample.ts';
import { findHeader } from './find-header.ts';
import { sniffDialect, usualWidth } from './sniff-dialect.ts';
import { sniffEncoding } from './sniff-encoding.ts';
import { bomOf } from './text-decoder.ts';

/** How much of a file is looked at. */
export const SAMPLE_BYTES = 1024 * 1024;

/** How a file is read, nothing left open. */
export interface CsvFormat {
  readonly encoding: Encoding;
  /** Bytes of the byte order mark. */
  readonly bom: number;
  /** What the bytes rather look like, where they are not what they are read as. */
  readonly looksLike?: Encoding;
  readonly dialect: CsvDialect;
  /** Lines above the header. */
  readonly skipRows: number;
  readonly headerRows: number;
  /** Names of the columns, as they stand in the file or were declared; not unique yet. */
  readonly header: readonly string[];
}

export interface FormatHints {
  /** Column names that the header is known to hold. */
  readonly wanted: readonly string[];
  /** Take the encoding that the bytes look like, instead of UTF-8 with bytes that are no text. */
  readonly guessEncoding: boolean;
  /** For sentences. */
  readonly where: string;
}

/**
 * Decides how a file is read, from what is declared and what its first bytes show.
 * @param head The first {@link SAMPLE_BYTES} bytes without compression.
 * @param whole Whether that is all of the file.
 * @throws SluiceError `SourceMalformed`, `SourceEmpty`
 */
export function resolveFormat(head: Buffer, whole: boolean, declared: DeclaredFormat, hints: FormatHints): CsvFormat {
  const { where } = hints;
  const { encoding, bom, looksLike } = resolveEncoding(head, whole, declared, hints);
  const text = withoutLines(sampleText(head, whole, encoding, bom), declared.skipRows ?? 0);
  if (text.toString('utf8', 0, 65_536).trim() === '' && (whole || text.length < head.length / 4)) {
    throw new SluiceError('SourceEmpty', `${where} holds no header: every line of it is blank.`);
  }
  const known = {
    ...(declared.delimiter === undefined ? {} : { delimiter: declared.delimiter }),
    ...(declared.quote === undefined ? {} : { quote: declared.quote, escape: declared.escape ?? declared.quote }),
    ...(declared.escape === undefined ? {} : { escape: declared.escape }),
    ...(declared.comment === undefined ? {} : { comment: declared.comment }),
    spaces: declared.spaces,
  };
  const wanted = declared.header === undefined && declared.headerRows === 1 ? hints.wanted : [];
  const dialect = sniffDialect(text, known, wanted);
  const rows = readSample(text, dialect);
  const found = declared.skipRows === undefined && declared.headerRows > 0 ? findHeader(rows, wanted) : 0;
  const first = rows[found];
  const skipRows = declared.skipRows ?? (found === 0 ? 0 : (first?.line ?? 1) - 1);
  return {
    encoding,
    bom,
    ...(looksLike === undefined ? {} : { looksLike }),
    dialect,
    skipRows,
    headerRows: declared.headerRows,
    header: headerOf(rows.slice(found), declared, where),
  };
}

function resolveEncoding(
  head: Buffer,
  whole: boolean,
  declared: DeclaredFormat,
  { guessEncoding, where }: FormatHints,
): { encoding: Encoding; bom: number; looksLike?: Encoding } {
  const bom = bomOf(head);
  if (declared.encoding !== undefined) {
    if (!bom) return { encoding: declared.encoding, bom: 0 };
    if (bom.encoding === declared.encoding) return { encoding: declared.encoding, bom: bom.bytes };
    throw new SluiceError(
      'SourceMalformed',
      `${where} begins with the byte order mark of ${bom.encoding}, and source.format.encoding is ${declared.encoding}: take that out.`,
    );
  }
  const found = sniffEncoding(head, whole);
  if (found.sure || guessEncoding || found.encoding === 'utf-8') return { encoding: found.encoding, bom: found.bom };
  return { encoding: 'utf-8', bom: 0, looksLike: found.encoding };
}

function withoutLines(text: Buffer, lines: number): Buffer {
  let at = 0;
  for (let left = lines; left > 0 && at < text.length; left--) {
    while (at < text.length && text[at] !== 10 && text[at] !== 13) at++;
    at += text[at] === 13 && text[at + 1] === 10 ? 2 : 1;
  }
  return text.subarray(at);
}

function headerOf(rows: readonly SampleRow[], declared: DeclaredFormat, where: string): string[] {
  if (declared.header) return declared.header;
  const [first, second] = rows;
  if (declared.headerRows === 0) return Array.from({ length: usualWidth(rows) }, (_, at) => `column_${at + 1}`);
  const broken = rows.slice(0, declared.headerRows).find(({ fault }) => fault !== undefined);
  if (broken) {
    throw new SluiceError(
      'SourceMalformed',
      `The header of ${where} (line ${broken.line}) cannot be read: ${broken.fault}; if it stands elsewhere, set source.format.skipRows.`,
    );
  }
  return joinHeader(first?.fields ?? [], declared.headerRows === 2 ? second?.fields : undefined);
}

/** Two rows of a header as one: a blank in the upper row takes what stands left of it, as merged cells of a sheet do. */
export function joinHeader(upper: readonly string[], lower: readonly string[] | undefined): string[] {
  if (lower === undefined) return upper.map((name) => name.trim());
  let above = '';
  return lower.map((name, at) => {
    above = upper[at]?.trim() || above;
    return [above, name.trim()].filter((part) => part !== '').join(' ');
  });
}
