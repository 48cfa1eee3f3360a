import { createHash } from 'node:crypto';
import type { OutputColumn } from '../../definition/columns.ts';
import { hoursSinceEpoch } from '../../definition/hour.ts';
import type { HourRecord } from '../../definition/refs.ts';
import type { Row } from '../../formats/parquet.ts';
import { identityHash, lanesOf } from '../identity.ts';
import { RECORD_COLUMN } from '../landing/schema.ts';

/** A document with the id that it is indexed under. */
export interface IndexedDocument {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Version of every document of an hour's generation: a late replay of an older one never overwrites a newer. */
export function documentVersion(hour: HourRecord): number {
  return hoursSinceEpoch(hour.hour) * 1_000_000 + hour.generation;
}

/** Where the coordinates of a document come from. */
export interface LocationColumns {
  readonly latitude: string;
  readonly longitude: string;
}

/** The document of a landed row in `history` mode: one per record and hour. */
export function documentOf(
  row: Row,
  columns: readonly OutputColumn[],
  hour: HourRecord,
  location: LocationColumns | undefined,
): IndexedDocument {
  const record = String(row[RECORD_COLUMN]);
  const [a, b, c, d] = lanesOf(identityHash(record));
  const body: Record<string, unknown> = {};
  for (const column of columns) {
    const value = row[column.name] ?? null;
    body[column.name] =
      value !== null && (column.type === 'decimal' || column.type === 'integer') ? Number(value) : value;
  }
  const latitude = location && row[location.latitude];
  const longitude = location && row[location.longitude];
  if (latitude != null && longitude != null) body['location'] = { lat: Number(latitude), lon: Number(longitude) };
  return {
    id: createHash('sha256')
      .update(JSON.stringify([hour.hour, record]))
      .digest('hex')
      .slice(0, 32),
    body: { ...body, batch: hour.batch, hour: hour.hour, generation: hour.generation, sluice: { a, b, c, d } },
  };
}
