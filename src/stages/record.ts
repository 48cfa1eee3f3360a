import type { ReadRecord } from '../connectors/log.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { IdentityChecksum } from '../definition/refs.ts';

/** What an end marker says of one partition of a batch. */
export interface EndMarker {
  readonly batch: string;
  /** Rows of the batch in this partition. */
  readonly rows: number;
  readonly checksum: IdentityChecksum;
  /** How many partitions, and so markers, the batch has. */
  readonly partitions: number;
  readonly workflowId: string;
}

/** A record of ours, read by its headers. */
export interface SluiceRecord {
  readonly batch: string;
  /** 0, 1, 2 … per batch and partition; a marker's is the number of rows before it. */
  readonly seq: number;
  readonly epoch: string;
  readonly schema: string;
  readonly hour: LogicalHour;
  readonly marker?: EndMarker;
}

/** Headers of a row. */
export function rowHeaders(record: Omit<SluiceRecord, 'marker'>): Record<string, string> {
  const { batch, seq, epoch, schema, hour } = record;
  return { batch, seq: String(seq), epoch, schema, hour };
}

/** Headers of an end marker; its body is the {@link EndMarker} as JSON. */
export function markerHeaders(record: Omit<SluiceRecord, 'marker'>): Record<string, string> {
  return { ...rowHeaders(record), end: '1' };
}

const NAME = /^[\w-]{1,64}$/;
const HOUR = /^\d{4}-\d\d-\d\dT\d\d:00:00Z$/;

/** Anybody may write to a topic. */
function isMarker(body: unknown): body is EndMarker {
  if (typeof body !== 'object' || body === null) return false;
  const { rows, checksum, partitions, workflowId } = body as Partial<EndMarker>;
  return (
    Number.isSafeInteger(rows) &&
    Array.isArray(checksum) &&
    checksum.length === 4 &&
    checksum.every((lane) => Number.isSafeInteger(lane)) &&
    Number.isSafeInteger(partitions) &&
    typeof workflowId === 'string'
  );
}

/** Reads a record's headers; undefined where it is none of ours: another producer's, or another epoch's. */
export function readHeaders(record: ReadRecord, epoch: string): SluiceRecord | undefined {
  const { batch = '', seq = '', schema = '', hour = '', end } = record.headers;
  // Names become parts of keys.
  if (!NAME.test(batch) || !NAME.test(schema) || !HOUR.test(hour) || !/^\d{1,15}$/.test(seq)) return undefined;
  if (record.headers['epoch'] !== epoch || record.value === null) return undefined;
  const head = { batch, seq: Number(seq), epoch, schema, hour };
  if (end === undefined) return record.key === null ? undefined : head;
  try {
    const marker = JSON.parse(record.value.toString()) as EndMarker;
    return isMarker(marker) && marker.batch === batch ? { ...head, marker } : undefined;
  } catch {
    return undefined;
  }
}

/** Why {@link readHeaders} knows nothing of a record. */
export function foreignExplanation(
  record: ReadRecord,
  epoch: string,
): { readonly reason: 'foreign' | 'epoch'; readonly explanation: string } {
  const { epoch: other, batch } = record.headers;
  if (other !== undefined && other !== epoch && batch !== undefined && /^[0-9a-f]{8}$/.test(other)) {
    return { reason: 'epoch', explanation: `It belongs to epoch ${other} of the topic, and this is ${epoch}.` };
  }
  return { reason: 'foreign', explanation: 'It was not written by Sluice: its headers are none that Sluice writes.' };
}
