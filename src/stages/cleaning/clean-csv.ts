import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { countText } from '../../definition/amounts.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum } from '../../definition/refs.ts';
import type { Stream } from '../../definition/streams.ts';
import { plainDialect, type CsvFault } from '../../formats/csv-dialect.ts';
import { CsvParser } from '../../formats/csv-parser.ts';
import { TextColumns } from '../../formats/text-columns.ts';
import { bytesDecoder } from '../../formats/text-decoder.ts';
import type { StageContext } from '../deps.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, recordId } from '../identity.ts';

/** The columns that stand first in the clean.csv of a stream without a key: they are then the identity of a row. */
export const rowIdentity = ['_file', '_row'] as const;

/** One row of clean.csv: canonical texts, null where there is no value. */
export interface CleanRow {
  readonly values: Readonly<Record<string, string | null>>;
  /** The key values, or file and row number where the stream has no key. What `recordId` takes. */
  readonly id: readonly (string | null)[];
}

/** Rows of one step of {@link readCleanCsv}, at most. */
const MICRO_BATCH_ROWS = 1_000;

/** The header of a stream's clean.csv. */
export function cleanHeader(stream: Pick<Stream, 'key' | 'clean'>): string[] {
  return [...(stream.key.length === 0 ? rowIdentity : []), ...stream.clean.map(({ name }) => name)];
}

/**
 * Reads a clean.csv in micro-batches of at most 1,000 rows of texts, in file order. Nothing between two commas is null,
 * `""` is an empty text. Memory: one chunk of the stream and a few micro-batches.
 * @param name For sentences.
 * @throws SluiceError `ObjectCorrupt` where the bytes are no such file or it has another header.
 */
export async function* readCleanTexts(
  stream: Readable,
  name: string,
  header: readonly string[],
): AsyncGenerator<(string | null)[][]> {
  const decoder = bytesDecoder('utf-8', 0);
  const parser = new CsvParser({ ...plainDialect, fieldLength: Number.MAX_SAFE_INTEGER, invalidBytes: 'reject' });
  parser.width = header.length;
  const cells = new TextColumns(header.length);
  const refuse = (fault: CsvFault): void => {
    throw corrupt(name, `line ${fault.line}: ${fault.reason}`);
  };
  let begun = false;
  const taken = (): (string | null)[][] => {
    const rows: (string | null)[][] = [];
    for (let row = 0; row < cells.rows; row++) {
      if (!begun) {
        const found = cells.texts(row);
        if (found.join() !== header.join()) throw corrupt(name, `its header is ${found.join().slice(0, 200)}`);
        begun = true;
        continue;
      }
      rows.push(header.map((_, at) => (cells.isBlank(at, row) ? null : cells.text(at, row))));
    }
    cells.clear();
    return rows;
  };

  for await (const chunk of stream as AsyncIterable<Buffer>) {
    parser.push(decoder.push(chunk));
    while (parser.read(cells, MICRO_BATCH_ROWS, Infinity, refuse) === 'full') yield taken();
  }
  parser.push(decoder.end());
  parser.end();
  while (parser.read(cells, MICRO_BATCH_ROWS, Infinity, refuse) === 'full') yield taken();
  const rest = taken();
  if (!begun) throw corrupt(name, 'it is empty');
  if (rest.length > 0) yield rest;
}

/**
 * Reads a stream's clean.csv, as {@link readCleanTexts} does, into rows with their identities.
 * @throws SluiceError `ObjectCorrupt`
 */
export async function* readCleanCsv(
  stream: Readable,
  of: Pick<Stream, 'name' | 'key' | 'clean'>,
): AsyncGenerator<CleanRow[]> {
  const header = cleanHeader(of);
  const identity = of.key.length === 0 ? rowIdentity : of.key;
  const positions = identity.map((name) => header.indexOf(name));
  for await (const rows of readCleanTexts(stream, of.name, header)) {
    yield rows.map((texts) => {
      const values = Object.create(null) as Record<string, string | null>;
      for (const [at, name] of header.entries()) values[name] = texts[at] ?? null;
      return { values, id: positions.map((at) => texts[at] ?? null) };
    });
  }
}

function corrupt(stream: string, why: string): SluiceError {
  return new SluiceError('ObjectCorrupt', `This is not the clean.csv of ${stream}: ${why}.`);
}

/** What a clean.csv amounts to, found by reading it as publish will. */
export interface CleanFacts {
  readonly sha256: string;
  readonly rows: number;
  readonly checksum: IdentityChecksum;
}

/** Reads a clean.csv file once for its hash, its rows and the checksum of their identities. */
export async function measureCleanCsv(
  path: string,
  of: Pick<Stream, 'name' | 'key' | 'clean'>,
  context: StageContext,
): Promise<CleanFacts> {
  const hash = createHash('sha256');
  const source = createReadStream(path, { signal: context.signal });
  source.on('data', (chunk) => hash.update(chunk));
  let rows = 0;
  let checksum = emptyChecksum;
  for await (const batch of readCleanCsv(source, of)) {
    for (const { id } of batch) checksum = addChecksums(checksum, lanesOf(identityHash(recordId(id))));
    rows += batch.length;
    context.progress({ rows, note: `checked ${countText(rows)} clean rows` });
  }
  return { sha256: hash.digest('hex'), rows, checksum };
}
