import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { SluiceError } from '../../definition/errors.ts';
import type { IdentityChecksum } from '../../definition/refs.ts';
import type { Stream } from '../../definition/streams.ts';
import { CsvReader, type CsvFault, type CsvRecord } from '../../formats/csv-reader.ts';
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
 * Reads clean.csv in micro-batches of at most 1,000 rows, in file order. Nothing between two commas is null, `""` is an
 * empty text. Memory: one chunk of the stream and one micro-batch.
 * @throws SluiceError `ObjectCorrupt` where the bytes are not a clean.csv of this stream.
 */
export async function* readCleanCsv(
  stream: Readable,
  of: Pick<Stream, 'name' | 'key' | 'clean'>,
): AsyncGenerator<CleanRow[]> {
  const reader = new CsvReader({ delimiter: ',', quote: '"', fieldLength: Number.MAX_SAFE_INTEGER });
  const header = cleanHeader(of);
  const identity = of.key.length === 0 ? rowIdentity : of.key;
  const positions = identity.map((name) => header.indexOf(name));
  let begun = false;
  let rows: CleanRow[] = [];

  const take = (item: CsvRecord | CsvFault): void => {
    if (item.kind === 'fault') throw corrupt(of.name, `line ${item.line}: ${item.reason}`);
    if (!begun) {
      if (item.fields.join() !== header.join())
        throw corrupt(of.name, `its header is ${item.fields.join().slice(0, 200)}`);
      begun = true;
      return;
    }
    const cells = item.fields.map((field, at) => (field === '' && item.quoted?.[at] !== true ? null : field));
    const values = Object.create(null) as Record<string, string | null>;
    for (const [at, name] of header.entries()) values[name] = cells[at] ?? null;
    rows.push({ values, id: positions.map((at) => cells[at] ?? null) });
  };

  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const item of reader.push(chunk)) {
      take(item);
      if (rows.length < MICRO_BATCH_ROWS) continue;
      yield rows;
      rows = [];
    }
  }
  for (const item of reader.end()) take(item);
  if (!begun) throw corrupt(of.name, 'it is empty');
  if (rows.length > 0) yield rows;
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
    context.progress({ rows, note: `checked ${rows} clean rows` });
  }
  return { sha256: hash.digest('hex'), rows, checksum };
}
