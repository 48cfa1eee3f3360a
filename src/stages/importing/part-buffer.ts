import { encodeTextParquet } from '../../formats/parquet.ts';

const PART_ROWS = 250_000;
/** UTF-16 units of text in a part. Keeps WebAssembly's share of the work below a few hundred MiB. */
const PART_TEXT = 48 * 1024 * 1024;

/** Rows of the parsed object, by column, until there are enough for one Parquet part. */
export class PartBuffer {
  readonly #header: readonly string[];
  readonly #file: string;
  #columns: string[][] = [];
  #row: number[] = [];
  #line: number[] = [];
  #offset: number[] = [];
  #text = 0;

  constructor(header: readonly string[], file: string) {
    this.#header = header;
    this.#file = file;
    this.#reset();
  }

  get rows(): number {
    return this.#row.length;
  }

  get full(): boolean {
    return this.rows >= PART_ROWS || this.#text >= PART_TEXT;
  }

  add(fields: readonly string[], row: number, line: number, offset: number): void {
    for (let at = 0; at < this.#columns.length; at++) {
      const field = fields[at] ?? '';
      this.#columns[at]?.push(field);
      this.#text += field.length;
    }
    this.#row.push(row);
    this.#line.push(line);
    this.#offset.push(offset);
  }

  /** The rows so far as Parquet; the buffer is empty afterwards. */
  async take(): Promise<Buffer> {
    const bytes = await encodeTextParquet(this.#header, this.#columns, {
      file: this.#row.map(() => this.#file),
      row: this.#row,
      line: this.#line,
      offset: this.#offset,
    });
    this.#reset();
    return bytes;
  }

  #reset(): void {
    this.#columns = this.#header.map(() => []);
    this.#row = [];
    this.#line = [];
    this.#offset = [];
    this.#text = 0;
  }
}
