import type { ReadRecord } from '../../connectors/log.ts';
import { canonicalText } from '../../definition/lexical.ts';
import type { Value } from '../../formats/arrow-columns.ts';
import type { Row } from '../../formats/parquet.ts';
import { RECORD_COLUMN, type LandSchema } from './schema.ts';

/** A record of another producer as a row of ours. */
export interface ForeignRow {
  readonly id: string;
  readonly row: Row;
  readonly schema: LandSchema;
}

/**
 * Reads another producer's record as a row of the stream's columns: a JSON object whose members have the columns' names and are values of
 * their types. Columns that it leaves out have no value, members that are no columns are left out. No rule of the cleaning is applied.
 * Its identity is where it stands in the topic: `[epoch, partition, offset]`.
 * @returns the row, or the sentence that says why it is none
 */
export function foreignRow(record: ReadRecord, epoch: string, schema: LandSchema): ForeignRow | string {
  if (record.value === null) return 'The record has no value.';
  const id = JSON.stringify([epoch, record.partition, String(record.offset)]);
  const decoded = schema.rowOf(id, record.value);
  if (!decoded) return 'The value is no JSON object of texts, numbers and booleans.';
  const row: Record<string, Value> = { [RECORD_COLUMN]: id };
  for (const { name, type, precision = 18, scale = 6 } of schema.output) {
    const value = decoded[name] ?? null;
    if (value === null || (type === 'boolean' && typeof value === 'boolean')) {
      row[name] = value;
      continue;
    }
    const canonical = typeof value === 'string' ? canonicalText({ type, precision, scale }, value) : 'type';
    if (typeof canonical === 'string')
      return `${name} holds ${JSON.stringify(value).slice(0, 100)}, which is no ${type}.`;
    row[name] = type === 'boolean' ? canonical.value === 'true' : canonical.value;
  }
  return { id, row, schema };
}
