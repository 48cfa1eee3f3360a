import type { ReadRecord } from '../../connectors/log.ts';
import { canonicalText } from '../../definition/lexical.ts';
import type { Value } from '../../formats/arrow-columns.ts';
import { decodeValues } from '../record-value.ts';
import type { LandSchema } from './schema.ts';

/** A record of another producer as a row of ours. */
export interface ForeignRow {
  readonly id: string;
  /** One for each of the schema's columns. */
  readonly values: readonly Value[];
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
  const decoded = decodeValues(schema.output, record.value);
  if (!decoded) return 'The value is no JSON object of texts, numbers and booleans.';
  const values: Value[] = [id];
  for (const [at, { name, type, precision = 18, scale = 6 }] of schema.output.entries()) {
    const value = decoded[at] ?? null;
    if (value === null || (type === 'boolean' && typeof value === 'boolean')) {
      values.push(value);
      continue;
    }
    const canonical = typeof value === 'string' ? canonicalText({ type, precision, scale }, value) : 'type';
    if (typeof canonical === 'string')
      return `${name} holds ${JSON.stringify(value).slice(0, 100)}, which is no ${type}.`;
    values.push(type === 'boolean' ? canonical.value === 'true' : canonical.value);
  }
  return { id, values, schema };
}
