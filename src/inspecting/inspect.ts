import type { DeclaredFormat } from '../definition/format.ts';
import type { Source } from '../definition/source.ts';
import type { CsvFault } from '../formats/csv-dialect.ts';
import type { CsvFormat } from '../formats/csv-format.ts';
import type { Skipped } from '../formats/csv-table.ts';
import type { Compression } from '../formats/decompress.ts';
import type { TextColumns } from '../formats/text-columns.ts';
import { RawContent } from '../stages/importing/raw-content.ts';
import { openTable } from '../stages/importing/table.ts';
import { ColumnProfile, type ProposedColumn } from './column-profile.ts';
import type { Input } from './input.ts';
import { keyCandidates } from './key-candidates.ts';

/** Rows from which types, missing words and keys are proposed. */
export const PROFILE_ROWS = 100_000;
/** Rejected rows that are told one by one. */
const TOLD_REJECTS = 100;
const BATCH = { batchRows: 20_000, batchBytes: () => 4 * 1024 * 1024 };

/** What a file turns out to be. */
export interface Inspection {
  readonly compression: Compression;
  readonly format: CsvFormat;
  /** Names as in the file, made unique. */
  readonly header: readonly string[];
  readonly rows: { readonly read: number; readonly parsed: number; readonly rejected: number };
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** The first hundred. */
  readonly rejects: readonly CsvFault[];
  readonly skipped: Skipped;
  readonly columns: readonly ProposedColumn[];
  readonly keys: readonly (readonly string[])[];
  /** Rows that the proposals stand on. */
  readonly profiled: number;
  readonly notes: readonly string[];
}

export interface InspectContext {
  readonly source: Source;
  readonly folder: string;
  readonly signal: AbortSignal;
  progress(note: string): void;
  /** Takes the rows as they are read; void once it has returned. */
  onRows?(cells: TextColumns, header: readonly string[]): Promise<void>;
}

/**
 * Reads a file from beginning to end, as an import would, and says what was found.
 * @throws SluiceError `Source…`
 */
export async function inspect(input: Input, context: InspectContext): Promise<Inspection> {
  const { source, folder } = context;
  const content = await RawContent.open(input.content, source.limits, source.format.compression, folder);
  const where = input.content.where;
  const table = await openTable(content, source, { wanted: [], guessEncoding: true, where, url: input.url });
  content.release();
  if (!table.csv) throw new TypeError('only CSV is inspected');
  const format = table.csv;
  const rejects: CsvFault[] = [];
  const rejectedBy: Record<string, number> = {};
  const profiles = table.header.map((name) => new ColumnProfile(name));
  const kept = table.header.map((): string[] => []);
  let [read, parsed, profiled] = [0, 0, 0];
  const batches = table.rows({
    ...BATCH,
    rowsBefore: 0,
    onFault: (fault) => {
      read = Math.max(read, fault.row);
      rejectedBy[fault.kind] = (rejectedBy[fault.kind] ?? 0) + 1;
      if (rejects.length < TOLD_REJECTS) rejects.push(fault);
    },
    progress: (bytes) => {
      context.signal.throwIfAborted();
      context.progress(
        `read ${Math.floor(bytes / 1_000_000)} of ${Math.ceil(input.bytes / 1_000_000)} MB, ${read} rows`,
      );
    },
  });
  for await (const cells of batches) {
    read = Math.max(read, cells.rowNumber(cells.rows - 1));
    parsed += cells.rows;
    for (let row = 0; row < cells.rows && profiled < PROFILE_ROWS; row++, profiled++) {
      for (const [at, profile] of profiles.entries()) {
        const text = cells.text(at, row);
        profile.add(text);
        kept[at]?.push(text);
      }
    }
    await context.onRows?.(cells, table.header);
  }
  const columns = profiles.map((profile) => profile.propose(format.dialect.delimiter));
  return {
    compression: content.compression,
    format,
    header: table.header,
    rows: { read, parsed, rejected: read - parsed },
    rejectedBy,
    rejects,
    skipped: table.skipped(),
    columns,
    keys: keyCandidates(columns, kept),
    profiled,
    notes: [...input.notes, ...table.notes],
  };
}

/** How numbers and missing values are written all over a file: what most columns agree in. */
export function commonFormat(columns: readonly ProposedColumn[]): Pick<DeclaredFormat, 'decimal' | 'thousands'> {
  const styles = columns.flatMap(({ number }) => (number ? [number] : []));
  const plain = columns.filter(({ type, number }) => type === 'decimal' && !number).length;
  const [first] = styles;
  const same =
    first &&
    plain === 0 &&
    styles.every((style) => style.decimal === first.decimal && style.thousands === first.thousands);
  return same ? { decimal: first.decimal, thousands: first.thousands } : { decimal: '.', thousands: '' };
}
