/** How a text is divided into records and fields. */
export interface CsvDialect {
  /** One character or several. */
  readonly delimiter: string;
  /** One character of ASCII; empty for none. */
  readonly quote: string;
  /** One character of ASCII that takes the meaning off the next one; empty or equal to `quote` where quotes are doubled and nothing else. */
  readonly escape: string;
  /** A line that begins with this is no record; empty for none. */
  readonly comment: string;
  /** `trim` takes spaces and tabs off bare fields and from around quotes. */
  readonly spaces: 'keep' | 'trim';
}

/** RFC 4180. */
export const plainDialect: CsvDialect = { delimiter: ',', quote: '"', escape: '"', comment: '', spaces: 'keep' };

/** What is wrong with a line: its quotes, its number of fields, a field or record that is too long, bytes that are no text, NUL, or no object where one should be. */
export const faultKinds = ['quotes', 'width', 'length', 'bytes', 'nul', 'shape'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A line that is no record. Reading goes on with the line after it. */
export interface CsvFault {
  /** Counted with the records, from 1. */
  readonly row: number;
  readonly kind: FaultKind;
  /** A few words: `a quote is not closed`. */
  readonly reason: string;
  /** The line as it stands, cut after {@link FAULT_RAW_BYTES}; bytes that are no text as U+FFFD. */
  readonly raw: string;
  /** 1-based line of the record's first character. */
  readonly line: number;
  /** Bytes before the record in the file as it was before it was decoded; a byte order mark counts. */
  readonly offset: number;
}

/** How much of a broken line is kept. */
export const FAULT_RAW_BYTES = 8_192;

/** Bytes of UTF-8, and how they came about. Positions count the UTF-8 bytes of the whole text. */
export interface DecodedBlock {
  readonly bytes: Buffer;
  /** From `at` on, position `at + n` was byte `raw + n` of the file; right at each start of a line. */
  readonly marks: readonly { readonly at: number; readonly raw: number }[];
  /** Where U+FFFD stands for bytes that are no text: position, byte of the file, and those bytes. */
  readonly invalid: readonly InvalidBytes[];
}

export interface InvalidBytes {
  readonly at: number;
  readonly raw: number;
  readonly bytes: Buffer;
}

/**
 * Turns the bytes of a file into UTF-8 as they come. Bytes that are no text become U+FFFD and are reported with their
 * place; nothing is thrown. A byte order mark is dropped by the caller: `bomOf`.
 */
export interface BytesDecoder {
  push(bytes: Buffer): DecodedBlock;
  end(): DecodedBlock;
}

/** What stands for bytes that are no text. */
export const REPLACEMENT: Buffer = Buffer.from('\uFFFD');
