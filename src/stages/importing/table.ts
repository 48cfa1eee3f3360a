import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { CsvFault } from '../../formats/csv-dialect.ts';
import { resolveFormat, type CsvFormat } from '../../formats/csv-format.ts';
import { CsvTable, type Skipped } from '../../formats/csv-table.ts';
import { compressionOf } from '../../formats/decompress.ts';
import type { TextColumns } from '../../formats/text-columns.ts';
import { uniqueHeader } from './header.ts';
import { jsonTable } from './json-pages.ts';
import type { RawContent } from './raw-content.ts';
import { refuseOtherFormats } from './refuse-other-formats.ts';

/** What a source says of how its files are read. */
export type ReadRules = Pick<Pipeline['source'], 'format' | 'limits' | 'answer'>;

/** A file whose format is decided, ready to be read. */
export interface Table {
  /** Names as in the file, made unique. */
  readonly header: readonly string[];
  /** A few words: `gzip, utf-8, delimiter ",", header on line 19`. */
  readonly format: string;
  readonly csv?: CsvFormat;
  readonly notes: readonly string[];
  /** Each batch is void once the next one is asked for. Rows are numbered on from `rowsBefore`. */
  rows(input: TableRead): AsyncGenerator<TextColumns>;
  skipped(): Skipped;
}

export interface TableRead {
  readonly rowsBefore: number;
  readonly batchRows: number;
  /** Asked before each batch. */
  batchBytes(): number;
  onFault(fault: CsvFault): void;
  progress(bytes: number): void;
}

export interface TableHints {
  readonly wanted: readonly string[];
  readonly guessEncoding: boolean;
  readonly where: string;
  readonly url: URL | undefined;
  /** Bytes of each page, where the file is an answer in pages. */
  readonly pages?: readonly number[];
}

/**
 * Decides how a file is read.
 * @throws SluiceError `SourceNotCsv`, `SourceEmpty`, `SourceMalformed`
 */
export async function openTable(content: RawContent, rules: ReadRules, hints: TableHints): Promise<Table> {
  const { limits } = rules;
  const { where } = hints;
  if (rules.answer.format === 'json') return jsonTable(content, rules, hints);
  const within = compressionOf(content.head);
  if (within !== 'none') {
    const fix =
      content.compression === 'none'
        ? 'source.format.compression is none: take that out'
        : `stands within ${content.compression}: compress it once`;
    throw new SluiceError('SourceNotCsv', `${where} is ${within}, and ${fix}.`);
  }
  refuseOtherFormats(content.head, where, hints.url);
  const csv = resolveFormat(content.head, content.whole, rules.format, hints);
  if (csv.header.length > limits.columns) {
    throw new SluiceError(
      'SourceMalformed',
      `The header of ${where} has ${csv.header.length} columns, and source.limits.columns is ${limits.columns}.`,
    );
  }
  if (csv.header.some((name) => name.includes('\uFFFD')) && rules.format.invalidBytes !== 'replace') {
    const fix = csv.looksLike ?? 'the right one';
    throw new SluiceError(
      'SourceMalformed',
      `The header of ${where} holds bytes that are no ${csv.encoding}: set source.format.encoding to ${fix}.`,
    );
  }
  let table: CsvTable | undefined;
  return {
    header: uniqueHeader(csv.header),
    format: describe(content, csv),
    csv,
    notes: notesOf(csv, where),
    rows: (input) => {
      const { invalidBytes } = rules.format;
      const { rowsBefore, batchRows, batchBytes } = input;
      const fail = (fault: CsvFault): void => {
        throw new SluiceError(
          'SourceBytesInvalid',
          `${where}, line ${fault.line}: ${fault.reason} in ${csv.encoding}, and source.format.invalidBytes is fail: declare the encoding${csv.looksLike ? ` (it looks like ${csv.looksLike})` : ''}, or choose reject or replace.`,
        );
      };
      table = new CsvTable(csv, {
        fieldLength: limits.fieldLength,
        invalidBytes: invalidBytes === 'replace' ? 'replace' : 'reject',
        ...{ rowsBefore, batchRows, batchBytes },
      });
      return table.batches(content.bytes(input.progress), (fault) =>
        fault.kind === 'bytes' && invalidBytes === 'fail' ? fail(fault) : input.onFault(fault),
      );
    },
    skipped: () => table?.skipped ?? { preamble: 0, comments: 0, blank: 0, replacedBytes: 0 },
  };
}

const shown = (text: string): string => (text === '\t' ? 'tab' : `"${text}"`);

function describe({ compression }: RawContent, { encoding, bom, dialect, skipRows, headerRows }: CsvFormat): string {
  return [
    ...(compression === 'none' ? [] : [compression]),
    bom > 0 ? `${encoding} with a byte order mark` : encoding,
    `delimiter ${shown(dialect.delimiter)}`,
    ...(dialect.quote === '"' ? [] : [dialect.quote === '' ? 'no quotes' : `quote ${shown(dialect.quote)}`]),
    ...(dialect.escape === dialect.quote ? [] : [`escape ${shown(dialect.escape)}`]),
    ...(dialect.comment === '' ? [] : [`comments ${shown(dialect.comment)}`]),
    headerRows === 0 ? 'no header' : `header on line ${skipRows + 1}`,
  ].join(', ');
}

function notesOf({ looksLike, skipRows, encoding }: CsvFormat, where: string): string[] {
  return [
    ...(looksLike === undefined
      ? []
      : [`${where} holds bytes that are no ${encoding}; it looks like ${looksLike}: set source.format.encoding.`]),
    ...(skipRows > 0 ? [`${where}: ${skipRows} lines above the header were passed over.`] : []),
  ];
}
