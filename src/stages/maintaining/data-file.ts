/**
 * What the name of a data object says of who may name it.
 *
 * - `landed`: written by a consumer. Only the manifest that begins at `first` can name it.
 * - `compacted`: written by compaction. Only the record of the batch with this version can be the first to name it.
 */
export type DataFile =
  | {
      readonly kind: 'landed';
      readonly batch: string;
      readonly epoch: string;
      readonly partition: number;
      readonly first: bigint;
    }
  | { readonly kind: 'compacted'; readonly batch: string; readonly version: number };

/** Reads the key of a data object; undefined where it is no name that Sluice gives. */
export function parseDataFile(key: string): DataFile | undefined {
  const file = key.slice(key.lastIndexOf('/') + 1);
  const landed = /^([0-9a-f]{16})-e([0-9a-f]+)-p(\d{4,})-(\d{20})-[0-9a-f]{16}\.[a-z]+$/.exec(file);
  if (landed) {
    const [, batch = '', epoch = '', partition, first = ''] = landed;
    return { kind: 'landed', batch, epoch, partition: Number(partition), first: BigInt(first) };
  }
  const [, batch, version] = /^([0-9a-f]{16})-v(\d{6,})-[0-9a-f]{16}\.[a-z]+$/.exec(file) ?? [];
  return batch === undefined ? undefined : { kind: 'compacted', batch, version: Number(version) };
}

/** Reads the key of an object of other producers' rows. */
export function parseForeignFile(key: string): { epoch: string; partition: number; first: bigint } | undefined {
  const file = key.slice(key.lastIndexOf('/') + 1);
  const [, epoch, partition, first = ''] = /^e([0-9a-f]+)-p(\d{4,})-(\d{20})-[0-9a-f]{16}\.[a-z]+$/.exec(file) ?? [];
  return epoch === undefined ? undefined : { epoch, partition: Number(partition), first: BigInt(first) };
}
