import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

  it('stand where kafkajs looks for them', () => {
    expect(require(recordName)).toBe(encodeRecord);
    expect(require(groupingName)).toBe(groupMessages);
  });
});
