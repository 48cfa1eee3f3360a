import type { OutputColumn } from '../../src/definition/columns.ts';
import { pipelineSchema, type Pipeline } from '../../src/definition/pipeline.ts';
import type { CleanBatch, PreparedStream } from '../../src/definition/refs.ts';
import { streamOf } from '../../src/definition/streams.ts';
import type { CleanRow } from '../../src/stages/cleaning/clean-csv.ts';
import { batchIdOf, schemaVersion, sha256Hex } from '../../src/stages/hashing.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf, recordId } from '../../src/stages/identity.ts';

/** What the sequences are about: two hours, each of which may have any of these contents. */
export const hours = ['2026-11-24T03:00:00Z', '2026-11-24T04:00:00Z'] as const;
/** Rows of each content; one is empty, and all begin with the same keys. */
const sizes = [0, 2, 6, 13] as const;

export type Format = 'jsonl' | 'parquet';
/** No row of a batch for this long, and it is closed as abandoned. */
export const abandonAfterMs = 86_400_000;
export const epoch = 'abcd1234';
export const stream = 'm';

/** A content of an hour, as cleaning would hand it over, and what readers are to find of it. */
export interface Content {
  readonly name: string;
  readonly hour: string;
  readonly batch: CleanBatch;
  readonly rows: readonly CleanRow[];
}

export interface Universe {
  readonly format: Format;
  readonly pipeline: Pipeline;
  readonly schema: string;
  readonly output: readonly OutputColumn[];
  readonly contents: readonly Content[];
}

/** The definition and all contents; made once for each format. */
function universeOf(format: Format): Universe {
  const pipeline = pipelineSchema.parse({
    name: stream,
    source: { url: 'https://example.org/x.csv' },
    columns: { id: { name: 'id', required: true }, kind: { name: 'kind' }, n: { name: 'n', type: 'decimal' } },
    key: ['id'],
    land: { type: 'kind', format },
  });
  const main = streamOf(pipeline, 'main');
  const schema = schemaVersion(main.output, pipeline.land);
  const contents = hours.flatMap((hour, at) =>
    sizes.map((size, variant): Content => {
      const rows = Array.from({ length: size }, (_, row): CleanRow => {
        const values = { id: `r${row}`, kind: `k${row % 2}`, n: String(row + variant / 4) };
        return { values, id: [values.id] };
      });
      const clean = sha256Hex(JSON.stringify(rows));
      const batchId = batchIdOf(main, hour, clean, schema);
      const checksum = rows.map(({ id }) => lanesOf(identityHash(recordId(id)))).reduce(addChecksums, emptyChecksum);
      const ref = { uri: 's3://model/clean.csv', sha256: clean, bytes: 1 };
      const counts = { read: size, clean: size, duplicates: 0, filtered: 0, rejected: 0 };
      const batch: CleanBatch = {
        dataset: 'main',
        batchId,
        clean: ref,
        rows: counts,
        checksum,
        rejects: ref,
        report: ref,
      };
      return { name: `h${at}v${variant}`, hour, batch, rows };
    }),
  );
  return { format, pipeline, schema, output: main.output, contents };
}

export const universes: Readonly<Record<Format, Universe>> = {
  jsonl: universeOf('jsonl'),
  parquet: universeOf('parquet'),
};

/** What `prepare` would say of the topic. */
export function preparedStream(universe: Universe, partitions: number): PreparedStream {
  const { schema } = universe;
  const names = { dataset: 'main', stream, topic: stream, index: stream, alias: stream };
  return { ...names, partitions, epoch, life: 1, schema, changes: [] };
}
