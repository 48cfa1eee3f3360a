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

/** Reads a record's headers; undefined where it is none of ours: another producer's, or another epoch's. */
export function readHeaders(record: ReadRecord, epoch: string): SluiceRecord | undefined {
  const { batch, seq, schema, hour, end } = record.headers;
  if (batch === undefined || seq === undefined || schema === undefined || hour === undefined) return undefined;
  if (record.headers['epoch'] !== epoch || !/^\d+$/.test(seq) || record.value === null) return undefined;
  const head = { batch, seq: Number(seq), epoch, schema, hour };
  if (end === undefined) return record.key === null ? undefined : head;
  try {
    const marker = JSON.parse(record.value.toString()) as EndMarker;
    return marker.batch === batch ? { ...head, marker } : undefined;
  } catch {
    return undefined;
  }
}
