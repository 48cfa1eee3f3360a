import { createRequire } from 'node:module';
import { decodeRecord, RECORD_DECODER } from './kafka-decoding.ts';

// kafkajs 2.2.4, the last of its line, spends more time on putting a message into bytes than all else that becomes of it: a zeroed buffer of 512
// bytes for each record and for each of its headers, and, for each message of a send, a copy of the list of those before it. Records with
// five headers went out at half the speed. This module puts functions of ours in the place of its own, with the same results to the
// byte (test/unit/kafka-encoding.test.ts). It is imported before kafkajs; where something else was quicker, all is as it was, and slower.

const require = createRequire(import.meta.url);

type Bytes = string | Buffer | null | undefined;

/** A message on its way, as kafkajs gives it to its encoder of records. */
export interface RecordParts {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Bytes;
  readonly value?: Bytes;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>>;
}

/** What kafkajs makes of a record: of its encoders it asks for these. */
export interface Encoded {
  buf: Buffer;
  offset: number;
}

const names = {
  encoder: 'kafkajs/src/protocol/encoder',
  record: 'kafkajs/src/protocol/recordBatch/record/v0/index.js',
  grouping: 'kafkajs/src/producer/groupMessagesPerPartition.js',
} as const;

const Encoder = require(names.encoder) as { readonly prototype: Encoded };
const usual = require(names.record) as (parts: RecordParts) => Encoded;

/** A varint has five bytes at most. */
const VARINT = 5;
let scratch = Buffer.allocUnsafe(16_384);
let at = 0;

function room(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const wider = Buffer.allocUnsafe(Math.max(scratch.length * 2, at + bytes));
  scratch.copy(wider, 0, 0, at);
  scratch = wider;
}

/** A signed 32-bit number, zigzag. A long of that size has the same bytes. */
function putVarint(number: number): void {
  let rest = ((number << 1) ^ (number >> 31)) >>> 0;
  while (rest > 127) {
    scratch[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  scratch[at++] = rest;
}

function putBytes(bytes: Bytes): void {
  if (bytes === null || bytes === undefined) {
    room(VARINT);
    putVarint(-1);
    return;
  }
  const length = Buffer.byteLength(bytes);
  room(VARINT + length);
  putVarint(length);
  at += typeof bytes === 'string' ? scratch.write(bytes, at) : bytes.copy(scratch, at);
}

const isPlain = (bytes: unknown): boolean => typeof bytes === 'string' || Buffer.isBuffer(bytes);
const isInt32 = (number: number): boolean => (number | 0) === number;

/** One record of a batch. What is out of the ordinary is left to kafkajs. */
export function encodeRecord(parts: RecordParts): Encoded {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = parts;
  const entries: [string, Bytes][] = [];
  for (const name of Object.keys(headers)) {
    const header = headers[name];
    if (Array.isArray(header)) for (const one of header as Bytes[]) entries.push([name, one]);
    else entries.push([name, header as Bytes]);
  }
  const ordinary =
    isInt32(timestampDelta) &&
    (key == null || isPlain(key)) &&
    (value == null || isPlain(value)) &&
    entries.every(([, header]) => isPlain(header));
  if (!ordinary) return usual(parts);
  // The length of the rest comes first, so it is left room for.
  at = VARINT;
  room(1 + 3 * VARINT);
  scratch[at++] = 0;
  putVarint(timestampDelta);
  putVarint(offsetDelta);
  putBytes(key);
  putBytes(value);
  room(VARINT);
  putVarint(entries.length);
  for (const [name, header] of entries) {
    putBytes(name);
    putBytes(header);
  }
  const end = at;
  at = 0;
  putVarint(end - VARINT);
  const buf = Buffer.allocUnsafe(at + end - VARINT);
  scratch.copy(buf, 0, 0, at);
  scratch.copy(buf, at, VARINT, end);
  return Object.assign(Object.create(Encoder.prototype) as Encoded, { buf, offset: buf.length });
}

/** The messages of a send by partition, in their order. */
export function groupMessages<Message>(given: {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly Message[];
  readonly partitioner: (of: { topic: string; partitionMetadata: readonly unknown[]; message: Message }) => number;
}): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = given;
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) (groups[partitioner({ topic, partitionMetadata, message })] ??= []).push(message);
  return groups;
}

function replace(name: string, exports: unknown): void {
  require(name);
  const loaded = require.cache[require.resolve(name)];
  if (loaded) loaded.exports = exports;
}

replace(names.record, encodeRecord);
replace(names.grouping, groupMessages);
replace(RECORD_DECODER, decodeRecord);
