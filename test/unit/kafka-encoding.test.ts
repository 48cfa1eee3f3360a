import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { IHeaders } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { decodeRecord, RECORD_DECODER, type BatchContext, type Decoder } from '../../src/connectors/kafka-decoding.ts';
import { headersOf } from '../../src/connectors/kafka.ts';
import { encodeRecord, groupMessages, type Encoded, type RecordParts } from '../../src/connectors/kafka-encoding.ts';

const require = createRequire(import.meta.url);

/** A function of kafkajs as it came, read anew: what stands in the cache is ours. */
function asItCame<T>(name: string): T {
  const path = require.resolve(name);
  const ours = require.cache[path];
  delete require.cache[path];
  const original = require(name) as T;
  require.cache[path] = ours;
  return original;
}

const recordName = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
const groupingName = 'kafkajs/src/producer/groupMessagesPerPartition.js';
const originalRecord = asItCame<(parts: RecordParts) => Encoded>(recordName);
const originalGrouping = asItCame<typeof groupMessages>(groupingName);

const originalDecoder = asItCame<typeof decodeRecord>(RECORD_DECODER);
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;

function varint(number: number): number[] {
  const found: number[] = [];
  for (let rest = ((number << 1) ^ (number >> 31)) >>> 0; ; rest >>>= 7) {
    if (rest < 128) return [...found, rest];
    found.push((rest & 127) | 128);
  }
}

const sized = (bytes: string | Buffer | null | undefined): number[] =>
  bytes == null ? varint(-1) : [...varint(Buffer.byteLength(bytes)), ...Buffer.from(bytes as string)];

const bytesOf = ({ buf, offset }: Encoded): string => buf.subarray(0, offset).toString('hex');

describe('records as kafkajs sends them', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 60, maxLength: 400 }));
  const bytes = fc.oneof(
    texts,
    fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array)),
  );
  const optional = fc.oneof(bytes, fc.constant(null), fc.constant(undefined));
  const headers = fc.dictionary(texts, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), { maxKeys: 6 });

  it('are those of kafkajs to the byte (property)', () => {
    const parts = fc.record({
      offsetDelta: fc.nat(),
      timestampDelta: fc.oneof(fc.constant(0), fc.integer(), fc.maxSafeInteger()),
      key: optional,
      value: optional,
      headers,
    });
    fc.assert(
      fc.property(parts, (given) => {
        expect(bytesOf(encodeRecord(given))).toBe(bytesOf(originalRecord(given)));
      }),
    );
    expect(bytesOf(encodeRecord({ value: 'x' }))).toBe(bytesOf(originalRecord({ value: 'x' })));
  });

  it('come back as kafkajs reads them, names of any kind among the headers (property)', () => {
    const names = fc.oneof(texts, fc.constantFrom('constructor', '__proto__', 'toString', 'hasOwnProperty', 'batch'));
    const pairs = fc.array(fc.tuple(names, optional), { maxLength: 6 });
    const parts = fc.record({
      offsetDelta: fc.nat(),
      timestampDelta: fc.oneof(fc.constant(0), fc.integer(), fc.maxSafeInteger()),
      key: optional,
      value: optional,
    });
    const longs = fc.oneof(
      fc.maxSafeNat().map(String),
      fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map(String),
      fc.constant('1764000000000'),
    );
    const context: fc.Arbitrary<BatchContext> = fc.record({
      firstOffset: longs,
      firstTimestamp: longs,
      maxTimestamp: longs,
      magicByte: fc.constant(2),
      isControlBatch: fc.boolean(),
      timestampType: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(parts, pairs, context, (given, headers, of) => {
        // Without headers its last byte says so; these are put behind it by hand, as an object would not have a name twice.
        const { buf, offset } = originalRecord(given);
        const head = [...Buffer.from(buf.subarray(0, offset - 1)), ...varint(headers.length)];
        const tail = headers.flatMap(([name, header]) => [...sized(Buffer.from(name)), ...sized(header)]);
        // Behind the length of the record, whose bytes say that more follow.
        const begin = buf.subarray(0, offset).findIndex((byte) => byte < 128) + 1;
        const record = Buffer.from([...head, ...tail]).subarray(begin);
        const read = (decode: typeof decodeRecord) => {
          const decoder = new KafkajsDecoder(record);
          return { record: decode(decoder, of), end: decoder.offset };
        };
        expect(read(decodeRecord)).toEqual(read(originalDecoder));
      }),
      { numRuns: 500 },
    );
  });

  it('are grouped by partition as kafkajs groups them (property)', () => {
    const partitioner = ({ message }: { message: { partition: number } }): number => message.partition;
    fc.assert(
      fc.property(fc.array(fc.record({ partition: fc.nat({ max: 5 }), at: fc.nat() })), (messages) => {
        const given = { topic: 't', partitionMetadata: [{}], messages, partitioner };
        expect(groupMessages(given)).toEqual(originalGrouping(given));
      }),
    );
    const nowhere = { topic: 't', partitionMetadata: [], messages: [{ partition: 0 }], partitioner };
    expect(groupMessages(nowhere)).toEqual(originalGrouping(nowhere));
  });

  it('may have headers without a value, which other producers write: they have no text', () => {
    const headers = { none: null, twice: [Buffer.from('a'), null], once: Buffer.from('b') } as unknown as IHeaders;
    expect(headersOf(headers)).toEqual({ once: 'b' });
  });

  it('stand where kafkajs looks for them', () => {
    expect(require(recordName)).toBe(encodeRecord);
    expect(require(groupingName)).toBe(groupMessages);
    expect(require(RECORD_DECODER)).toBe(decodeRecord);
  });
});
