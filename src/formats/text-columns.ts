/** Rows of text by column, as UTF-8 bytes: what the parser fills and Parquet takes as it is. No cell becomes a string unless it is asked for. */
export class TextColumns {
  /** Columns of each row; undefined lets each row have as many as it likes. */
  readonly width: number | undefined;
  readonly #columns: Column[] = [];
  #rows = 0;
  #bytes = 0;
  #row: number[] = [];
  #line: number[] = [];
  #offset: number[] = [];
  #widths: number[] = [];

  constructor(width?: number) {
    this.width = width;
    for (let at = 0; at < (width ?? 0); at++) this.#columns.push(new Column());
  }

  get rows(): number {
    return this.#rows;
  }

  /** Columns there are: the width, or that of the widest row. */
  get columns(): number {
    return this.#columns.length;
  }

  /** Bytes of the records that it holds: those of the cells, and what stood between them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes to the cell of a column that is being written. Columns beyond the width are passed over. */
  write(at: number, source: Uint8Array, from: number, to: number): void {
    const column = this.#columns[at] ?? this.#grown(at);
    if (column !== undefined) column.write(source, from, to);
  }

  /** Ends the cell of a column in the row that is being written. */
  close(at: number, quoted: boolean): void {
    const column = this.#columns[at] ?? this.#grown(at);
    if (column !== undefined) column.close(this.#rows, quoted);
  }

  /** Ends the row that is being written. @param cells how many of its columns were closed @param bytes of the record */
  commit(row: number, line: number, offset: number, cells: number, bytes: number): void {
    this.#rows++;
    this.#row.push(row);
    this.#line.push(line);
    this.#offset.push(offset);
    if (this.width === undefined) this.#widths.push(cells);
    this.#bytes += bytes;
    for (let at = cells; at < this.#columns.length; at++) this.#columns[at]?.close(this.#rows - 1, false);
  }

  /** Takes back what was written of a row. */
  rollback(): void {
    for (const column of this.#columns) column.truncate(this.#rows);
  }

  text(at: number, row: number): string {
    return this.#columns[at]?.text(row) ?? '';
  }

  /** Whether a cell is nothing at all, and not an empty text in quotes. */
  isBlank(at: number, row: number): boolean {
    return this.#columns[at]?.isBlank(row) ?? true;
  }

  /** A row as texts. */
  texts(row: number): string[] {
    return Array.from({ length: this.width ?? this.#widths[row] ?? 0 }, (_, at) => this.text(at, row));
  }

  /** Number of a row, counted by the parser. */
  rowNumber(row: number): number {
    return this.#row[row] ?? 0;
  }

  line(row: number): number {
    return this.#line[row] ?? 0;
  }

  offset(row: number): number {
    return this.#offset[row] ?? 0;
  }

  get origins(): {
    readonly row: readonly number[];
    readonly line: readonly number[];
    readonly offset: readonly number[];
  } {
    return { row: this.#row, line: this.#line, offset: this.#offset };
  }

  /** UTF-8 bytes of a column end to end, and where each cell begins; views that the next {@link clear} makes void. */
  cells(at: number): { readonly data: Uint8Array; readonly offsets: Int32Array } {
    const column = this.#columns[at];
    return column ? column.view() : { data: new Uint8Array(0), offsets: new Int32Array(this.#rows + 1) };
  }

  /** Empties the table; its memory is kept for the next rows. */
  clear(): void {
    for (const column of this.#columns) column.truncate(0);
    this.#rows = 0;
    this.#bytes = 0;
    this.#row = [];
    this.#line = [];
    this.#offset = [];
    this.#widths = [];
  }

  #grown(at: number): Column | undefined {
    if (this.width !== undefined) return undefined;
    while (this.#columns.length <= at) this.#columns.push(new Column(this.#rows));
    return this.#columns[at];
  }
}

/** Cells up to so many bytes are copied byte by byte: faster than a call. */
const SHORT = 32;

class Column {
  count: number;
  #data: Buffer = Buffer.allocUnsafe(256);
  #length = 0;
  #offsets: Int32Array;
  /** Rows whose cell is an empty text in quotes. */
  #quotedEmpty: Set<number> | undefined;

  /** @param rows Rows that there are already: their cells are empty. */
  constructor(rows = 0) {
    this.count = rows;
    this.#offsets = new Int32Array(Math.max(64, rows + 2));
  }

  write(source: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#data.length) this.#grow(length);
    const data = this.#data;
    if (to - from <= SHORT) {
      let at = this.#length;
      for (let next = from; next < to; next++) data[at++] = source[next] as number;
    } else {
      data.set(source.subarray(from, to), this.#length);
    }
    this.#length = length;
  }

  close(row: number, quoted: boolean): void {
    this.count = row + 1;
    if (this.count >= this.#offsets.length) {
      const wider = new Int32Array(this.#offsets.length * 2);
      wider.set(this.#offsets);
      this.#offsets = wider;
    }
    this.#offsets[this.count] = this.#length;
    if (quoted && this.#length === this.#offsets[row]) (this.#quotedEmpty ??= new Set()).add(row);
  }

  truncate(rows: number): void {
    if (this.count > rows && this.#quotedEmpty)
      for (let row = rows; row < this.count; row++) this.#quotedEmpty.delete(row);
    this.count = Math.min(this.count, rows);
    this.#length = this.#offsets[rows] ?? 0;
  }

  text(row: number): string {
    return this.#data.toString('utf8', this.#offsets[row], this.#offsets[row + 1]);
  }

  isBlank(row: number): boolean {
    return this.#offsets[row] === this.#offsets[row + 1] && this.#quotedEmpty?.has(row) !== true;
  }

  view(): { data: Uint8Array; offsets: Int32Array } {
    return { data: this.#data.subarray(0, this.#length), offsets: this.#offsets.subarray(0, this.count + 1) };
  }

  #grow(length: number): void {
    const wider = Buffer.allocUnsafe(Math.max(length, this.#data.length * 2));
    this.#data.copy(wider, 0, 0, this.#length);
    this.#data = wider;
  }
}
