import type { CsvFault } from './csv-dialect.ts';
import type { CsvFormat } from './csv-format.ts';
import { CsvParser } from './csv-parser.ts';
import { bytesDecoder } from './text-decoder.ts';
import { TextColumns } from './text-columns.ts';

export interface TableOptions {
  readonly fieldLength: number;
  readonly invalidBytes: 'reject' | 'replace';
  /** How many rows a batch has, at most; and how many bytes, asked before each. */
  readonly batchRows: number;
  batchBytes(): number;
  /** Number of the row before the first. */
  readonly rowsBefore: number;
}

/** Lines that are no rows, and bytes that were replaced. */
export interface Skipped {
  readonly preamble: number;
  readonly comments: number;
  readonly blank: number;
  readonly replacedBytes: number;
}

/**
 * Reads the rows of a file in a format that is decided: its preamble and header are passed over, every other line is in
 * a batch or told as a fault.
 *
 * Memory: one batch, and what {@link CsvParser} holds.
 */
export class CsvTable {
  readonly #format: CsvFormat;
  readonly #options: TableOptions;
  readonly #parser: CsvParser;
  readonly #width: number;

  constructor(format: CsvFormat, options: TableOptions) {
    this.#format = format;
    this.#options = options;
    this.#width = format.header.length;
    this.#parser = new CsvParser({
      ...format.dialect,
      fieldLength: options.fieldLength,
      invalidBytes: options.invalidBytes,
    });
  }

  /** Rows and faults so far, with those before the file. */
  get rows(): number {
    return this.#parser.rows;
  }

  get skipped(): Skipped {
    const { comments, blank, replaced } = this.#parser;
    return { preamble: this.#format.skipRows, comments, blank, replacedBytes: replaced };
  }

  /**
   * @param content The file without its compression.
   * @returns batches; each is void once the next one is asked for
   */
  async *batches(content: AsyncIterable<Buffer>, onFault: (fault: CsvFault) => void): AsyncGenerator<TextColumns> {
    const { encoding, bom, skipRows, headerRows } = this.#format;
    const { batchRows, batchBytes, rowsBefore } = this.#options;
    const parser = this.#parser;
    const decoder = bytesDecoder(encoding, bom);
    const cells = new TextColumns(this.#width);
    const header = new TextColumns();
    let mark = bom;
    let lines = skipRows;
    let begun = false;
    const drain = function* (width: number): Generator<TextColumns> {
      lines = parser.skipLines(lines);
      if (lines > 0) return;
      if (!begun) {
        // A header row that cannot be read is still the header: what it says was found out before.
        let faults = 0;
        if (headerRows > 0) parser.read(header, headerRows, Infinity, () => faults++);
        if (header.rows + faults < headerRows) return;
        begun = true;
        parser.rows = rowsBefore;
        parser.width = width;
      }
      while (parser.read(cells, batchRows, batchBytes(), onFault) === 'full') {
        yield cells;
        cells.clear();
      }
    };
    for await (const chunk of content) {
      const bytes = mark > 0 ? chunk.subarray(mark) : chunk;
      mark = Math.max(0, mark - chunk.length);
      parser.push(decoder.push(bytes));
      yield* drain(this.#width);
    }
    parser.push(decoder.end());
    parser.end();
    yield* drain(this.#width);
    if (cells.rows > 0) yield cells;
  }
}
