import { failPoint } from '../../connectors/fail-point.ts';
import type { Store } from '../../connectors/object-store.ts';
import { keys } from '../../definition/names.ts';
import type { DataObject } from '../../definition/refs.ts';
import { sha256Hex } from '../hashing.ts';
import type { Chunk } from './chunk.ts';
import type { Manifest } from './manifest.ts';
import type { SchemaRegistry } from './schema.ts';

/** Stores what a chunk holds, one object per batch, date and type, each named by its content. Nobody sees them before a manifest names them. */
export async function writeChunk(
  store: Store,
  of: { readonly stream: string; readonly epoch: string; readonly partition: number },
  schemas: SchemaRegistry,
  chunk: Chunk,
): Promise<Required<Pick<Manifest, 'objects' | 'foreignObjects'>>> {
  const { stream, epoch, partition } = of;
  const objects: (DataObject & { batch: string })[] = [];
  const foreignObjects: DataObject[] = [];
  for (const [, group] of [...chunk.groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { batch, date, type, checksum } = group;
    const schema = await schemas.get(group.schema);
    const bytes = await group.rows.encode();
    const sha256 = sha256Hex(bytes);
    const key =
      batch === null
        ? keys.foreignPrefix(stream, date, type) +
          keys.foreignFile(epoch, partition, chunk.first, sha256, schema.format)
        : keys.dataPrefix(stream, date, type) +
          keys.dataFile(batch, epoch, partition, chunk.first, sha256, schema.format);
    await store.createOnce(key, bytes);
    await failPoint('land:after-object');
    const object: DataObject = { key, sha256, bytes: bytes.length, rows: group.rows.count, checksum, date, type };
    if (batch === null) foreignObjects.push(object);
    else objects.push({ ...object, batch });
  }
  return { objects, foreignObjects };
}
