import { createRequire } from 'node:module';

// What kafka-encoding.ts does for sending, for reading: kafkajs makes an object for each step of a record, and a new one of all its headers for
// each header. Of a consumer's time that was a fifth. The record that comes of it here is the same (test/unit/kafka-encoding.test.ts).

const require = createRequire(import.meta.url);
export const RECORD_DECODER = 'kafkajs/src/protocol/recordBatch/record/v0/decoder.js';

/** What kafkajs decodes from: a buffer that begins behind a record's length. */
export interface Decoder {
  readonly buffer: Buffer;
  offset: number;
}

/** What kafkajs knows of the batch that a record came in. */
export interface BatchContext {
  readonly firstOffset?: string;
  readonly firstTimestamp?: string;
  readonly magicByte?: number;
  readonly isControlBatch?: boolean;
  readonly timestampType?: number;
  readonly maxTimestamp?: string;
}

type Headers = Record<string, Buffer | null | (Buffer | null)[]>;

/** The broker has set the time, one for the whole batch. */
const LOG_APPEND_TIME = 1;
const usual = require(RECORD_DECODER) as (decoder: Decoder, context?: BatchContext) => object;

const nothing: Buffer = Buffer.alloc(0);
let bytes = nothing;
let at = 0;

/** A zigzag number of up to seven bytes: more than any offset or time in a batch takes. Not a number where there are more. */
function varint(): number {
  let number = 0;
  for (let unit = 1; unit < 2 ** 49; unit *= 128) {
    const byte = bytes[at++] ?? Number.NaN;
    number += (byte & 127) * unit;
    if (byte < 128) return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
  return Number.NaN;
}

function slice(): Buffer | null {
  const length = varint();
  if (length === -1) return null;
  at += length;
  return bytes.subarray(at - length, at);
}

/** One record, as kafkajs would give it. What is out of the ordinary is left to kafkajs. */
export function decodeRecord(decoder: Decoder, context: BatchContext = {}): object {
  const { firstOffset, firstTimestamp, magicByte, isControlBatch = false, timestampType, maxTimestamp } = context;
  bytes = decoder.buffer;
  at = decoder.offset;
  const attributes = bytes.readInt8(at++);
  const sinceFirst = varint();
  const timestamp = Number(firstTimestamp) + sinceFirst;
  const offset = Number(firstOffset) + varint();
  if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(offset)) return usual(decoder, context);
  const key = slice();
  const value = slice();
  const headers: Headers = {};
  for (let left = varint(); left > 0; left--) {
    const length = varint();
    at += length;
    const name = bytes.toString('utf8', at - length, at);
    const header = slice();
    const before = headers[name];
    // A name of an object's own would not be found as kafkajs finds it.
    if (length < 0 || name === '__proto__' || (before !== undefined && !Object.hasOwn(headers, name))) {
      return usual(decoder, context);
    }
    headers[name] = before === undefined ? header : Array.isArray(before) ? [...before, header] : [before, header];
  }
  bytes = nothing;
  // Never so of what a broker sends; kafkajs then says what is wrong.
  if (!(at <= decoder.buffer.length)) return usual(decoder, context);
  decoder.offset = at;
  return {
    magicByte,
    attributes,
    timestamp: timestampType === LOG_APPEND_TIME && maxTimestamp ? maxTimestamp : String(timestamp),
    offset: String(offset),
    key,
    value,
    headers,
    isControlRecord: isControlBatch,
    batchContext: context,
  };
}
