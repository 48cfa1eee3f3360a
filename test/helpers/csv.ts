import { plainDialect, type CsvDialect, type CsvFault } from '../../src/formats/csv-dialect.ts';
import { CsvParser, type CsvParserOptions } from '../../src/formats/csv-parser.ts';
import { bomOf, bytesDecoder } from '../../src/formats/text-decoder.ts';
import { TextColumns } from '../../src/formats/text-columns.ts';

export interface ReadRecord {
  readonly row: number;
  readonly line: number;
  readonly offset: number;
  readonly fields: readonly string[];
  /** Fields that are nothing, and not an empty text in quotes. */
  readonly blank: readonly boolean[];
}
export type ReadItem = ReadRecord | CsvFault;

export const isFault = (item: ReadItem): item is CsvFault => 'reason' in item;

export interface ReadOptions extends Partial<CsvParserOptions>, Partial<CsvDialect> {
  readonly encoding?: string;
  /** Bytes a push. */
  readonly size?: number;
  /** The first record says how many fields each has. */
  readonly fixed?: boolean;
}

/** Reads a whole file as the pipeline does: bytes, decoder, parser, columns. Records and faults in file order. */
export function readCsv(text: string | Buffer, options: ReadOptions = {}): ReadItem[] {
  const { size = 65_536, fixed = true, encoding, ...dialect } = options;
  const whole = typeof text === 'string' ? Buffer.from(text) : text;
  const mark = bomOf(whole);
  const bom = encoding === undefined || encoding === mark?.encoding ? mark : undefined;
  const decoder = bytesDecoder(encoding ?? bom?.encoding ?? 'utf-8', bom?.bytes ?? 0);
  const parser = new CsvParser({ ...plainDialect, fieldLength: 131_072, invalidBytes: 'reject', ...dialect });
  const found: ReadItem[] = [];
  const columns = new TextColumns();
  const drain = (): void => {
    for (;;) {
      const state = parser.read(columns, 1, Infinity, (fault) => found.push(fault));
      for (let at = 0; at < columns.rows; at++) {
        const fields = columns.texts(at);
        found.push({
          row: columns.rowNumber(at),
          line: columns.line(at),
          offset: columns.offset(at),
          fields,
          blank: fields.map((_, column) => columns.isBlank(column, at)),
        });
        if (fixed) parser.width ??= fields.length;
      }
      columns.clear();
      if (state === 'more') return;
    }
  };
  for (let at = bom?.bytes ?? 0; at < whole.length; at += size) {
    parser.push(decoder.push(whole.subarray(at, at + size)));
    drain();
  }
  parser.push(decoder.end());
  parser.end();
  drain();
  return found;
}

/** Records as their fields, faults as one text. */
export const fieldsOf = (items: readonly ReadItem[]): (readonly string[])[] =>
  items.map((item) => (isFault(item) ? [`FAULT ${item.reason}`] : item.fields));
