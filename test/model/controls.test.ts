import { describe, expect, it } from 'vitest';
import type { ReadRecord } from '../../src/connectors/log.ts';
import { sentenceOf } from '../../src/definition/errors.ts';
import type { SluiceRecord } from '../../src/stages/record.ts';
import { BatchLedger } from '../../src/stages/landing/batch-ledger.ts';
import { PartitionLander } from '../../src/stages/landing/partition-lander.ts';
import { BatchStates } from '../../src/stages/maintaining/batch-states.ts';
import { Consumer } from './consumer.ts';
import { MemoryStore } from './memory-bucket.ts';
import { MemoryLog, MemoryWriter } from './memory-log.ts';
import { runSequences } from './sequences.ts';

// One protection is taken away at a time. A model that stays green then proves nothing. The seed is fixed: these must fail each time.

const SEED = 1;

/** Runs sequences with something else in the place of a method. @returns why the first one failed that did, if any did */
async function without<T extends object, K extends keyof T>(
  prototype: T,
  method: K,
  flawed: (real: T[K]) => T[K],
): Promise<string> {
  const real = prototype[method];
  prototype[method] = flawed(real);
  try {
    await runSequences({ sequences: 2_000, seed: SEED, endOnFailure: true });
    return 'none failed';
  } catch (error) {
    return sentenceOf(error instanceof Error ? error.cause : error);
  } finally {
    prototype[method] = real;
  }
}

describe('the model turns red', () => {
  it('where creating an object overwrites what is there', async () => {
    const why = await without(
      MemoryStore.prototype,
      'createOnce',
      () =>
        async function (this: MemoryStore, key, bytes) {
          await this.put(key, bytes);
          return { created: true, bytes };
        },
    );
    expect(why).toMatch(/./);
  });

  it('where the store acknowledges data objects and loses them', async () => {
    const why = await without(
      MemoryStore.prototype,
      'createOnce',
      (real) =>
        async function (this: MemoryStore, key, bytes) {
          return key.includes('/date=') && bytes.length > 200 ? { created: true, bytes } : real.call(this, key, bytes);
        },
    );
    expect(why).toMatch(/is not there, and the record of/);
  });

  it('where the log acknowledges what it never wrote, as kafkajs does for a producer that is used again after a failed send', async () => {
    let sends = 0;
    const why = await without(
      MemoryWriter.prototype,
      'send',
      (real) =>
        async function (this: MemoryWriter, ...sent) {
          sends += 1;
          return sends % 7 === 0 ? 0n : real.apply(this, sent);
        },
    );
    expect(why).toMatch(/not in the log|has not landed/);
  });

  it('where a record is left out on the way to the lander', async () => {
    const why = await without(
      Consumer.prototype,
      'fetch',
      (real) =>
        function (this: Consumer, ...asked): ReadRecord[] {
          return real.apply(this, asked).filter(({ offset }) => offset !== 2n);
        },
    );
    expect(why).toMatch(/./);
  });

  it('where nobody looks at the sequence of rows', async () => {
    const why = await without(
      BatchLedger.prototype,
      'judge',
      (real) =>
        function (this: BatchLedger, record, head, landed) {
          const { expected: seq = 0, checksum = [0, 0, 0, 0] } = this.open(head.batch) ?? {};
          const marker = head.marker && { ...head.marker, rows: seq, checksum };
          const blind: SluiceRecord = { ...head, seq, ...(marker ? { marker } : {}) };
          return real.call(this, record, blind, landed);
        },
    );
    expect(why).toMatch(/landed as|counts \d+ rows/);
  });

  it('where a batch that has landed is not recognised', async () => {
    const why = await without(
      BatchLedger.prototype,
      'judge',
      (real) =>
        function (this: BatchLedger, record, head) {
          return real.call(this, record, head, false);
        },
    );
    expect(why).toMatch(/./);
  });

  it('where a consumer does not look where the log begins', async () => {
    const why = await without(PartitionLander.prototype, 'check', () => () => {});
    expect(why).toMatch(/skipped without a word/);
  });

  it('where a consumer begins behind what it has landed', async () => {
    const why = await without(
      PartitionLander.prototype,
      'startAt',
      (real) =>
        function (this: PartitionLander, ...marks) {
          return real.apply(this, marks) + 2n;
        },
    );
    expect(why).toMatch(/./);
  });

  it('where a publisher that goes on does not read how far its batch got, and takes the end of the log for it', async () => {
    const why = await without(
      MemoryLog.prototype,
      'readRanges',
      (real) =>
        async function (this: MemoryLog, ...asked: Parameters<MemoryLog['readRanges']>) {
          const [topic, ranges, each] = asked;
          await real.call(this, topic, ranges, (record) => {
            each(record);
            each({ ...record, headers: { ...record.headers, seq: String(Number(record.headers['seq']) + 1) } });
          });
        },
    );
    expect(why).toMatch(/./);
  });

  it('where gc does not know what a batch consists of', async () => {
    const why = await without(BatchStates.prototype, 'batch', () => async () => ({
      kind: 'landing' as const,
      named: new Set<string>(),
    }));
    expect(why).toMatch(/is gone, and batch/);
  });
});
