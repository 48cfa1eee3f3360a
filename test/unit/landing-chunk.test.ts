import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadRecord } from '../../src/connectors/log.ts';
import { addChecksums, emptyChecksum, identityHash, lanesOf } from '../../src/stages/identity.ts';
import { Chunk, MAX_TYPES, OTHER_TYPE } from '../../src/stages/landing/chunk.ts';
import type { Manifest } from '../../src/stages/landing/manifest.ts';
import { LandSchema } from '../../src/stages/landing/schema.ts';
import { markerHeaders, readHeaders, rowHeaders } from '../../src/stages/record.ts';

const epoch = 'abcd1234';
const hour = '2026-11-24T03:00:00Z';
const schema = new LandSchema({
  version: 's1',
  output: [
    { name: 'id', type: 'string' },
    { name: 'kind', type: 'string' },
  ],
  land: { format: 'parquet', type: 'kind' },
});
const rules = { topic: 't', epoch, partition: 0, maxRecords: 1000, maxBytes: 1_000_000, abandonAfterMs: 60_000 };

type Fact = { batch: string; seq: number; id?: string; kind?: string; at?: number } | 'foreign';

function record(offset: number, fact: Fact): ReadRecord {
  const base = { partition: 0, offset: BigInt(offset), timestamp: typeof fact === 'object' ? (fact.at ?? 1) : 1 };
  if (fact === 'foreign') return { ...base, key: null, value: Buffer.from('poison'), headers: {} };
  const id = fact.id ?? JSON.stringify([`${fact.batch}-${fact.seq}`]);
  return {
    ...base,
    key: Buffer.from(id),
    value: Buffer.from(JSON.stringify({ id, kind: fact.kind ?? 'k' })),
    headers: rowHeaders({ batch: fact.batch, seq: fact.seq, epoch, schema: 's1', hour }),
  };
}

function marker(offset: number, batch: string, rows: number, checksum = sumOf(batch, rows)): ReadRecord {
  const body = { batch, rows, checksum, partitions: 1, workflowId: 'w' };
  return {
    partition: 0,
    offset: BigInt(offset),
    timestamp: 1,
    key: null,
    value: Buffer.from(JSON.stringify(body)),
    headers: markerHeaders({ batch, seq: rows, epoch, schema: 's1', hour }),
  };
}

function sumOf(batch: string, rows: number) {
  return Array.from({ length: rows }, (_, seq) => lanesOf(identityHash(JSON.stringify([`${batch}-${seq}`])))).reduce(
    addChecksums,
    emptyChecksum,
  );
}

function take(chunk: Chunk, item: ReadRecord, landed = false) {
  const head = readHeaders(item, epoch);
  return chunk.accept(item, head, head && schema, landed);
}

describe('a chunk', () => {
  it('takes the rows of a batch in order, and drops what is sent again', () => {
    const chunk = new Chunk(undefined, rules);
    expect(take(chunk, record(0, { batch: 'a', seq: 0 }))).toBe('row');
    expect(take(chunk, record(1, { batch: 'a', seq: 1 }))).toBe('row');
    expect(take(chunk, record(2, { batch: 'a', seq: 0 }))).toBe('resent');
    expect(take(chunk, record(3, { batch: 'a', seq: 2 }))).toBe('row');
    expect(take(chunk, marker(4, 'a', 3))).toBe('marker');
    expect(chunk.full).toBe(true);
    const manifest = chunk.manifest([]);
    expect(manifest).toMatchObject({ first: '0', last: '4', previous: null, resent: 1, open: {} });
    expect(manifest.ended['a']).toMatchObject({ rows: 3, firstChunk: '0' });
  });

  it('puts values that an object store takes no key of into the folder of the others', () => {
    const chunk = new Chunk(undefined, rules);
    const kinds = ['k', 'x'.repeat(200), 'x'.repeat(201), 'ä'.repeat(33), 'ä'.repeat(34)];
    for (const [seq, kind] of kinds.entries()) {
      expect(take(chunk, record(seq, { batch: 'a', seq, kind }))).toBe('row');
    }
    expect([...chunk.groups.values()].map(({ type, rows }) => [type, rows.count])).toEqual([
      ['k', 1],
      ['x'.repeat(200), 1],
      [OTHER_TYPE, 2],
      ['ä'.repeat(33), 1],
    ]);
    expect(Object.values(chunk.manifest([]).open).map(({ expected }) => expected)).toEqual([5]);
  });

  it('takes no value of another type, whoever wrote it under headers of ours, and keeps the rows around it whole', async () => {
    const typed = new LandSchema({
      version: 's1',
      output: [
        { name: 'id', type: 'string' },
        { name: 'flag', type: 'boolean' },
        { name: 'big', type: 'decimal', precision: 30, scale: 2 },
        { name: 'amount', type: 'decimal', precision: 9, scale: 2 },
        { name: 'n', type: 'integer' },
        { name: 'day', type: 'date' },
      ],
      land: { format: 'parquet' },
    });
    const good = { id: 'x', flag: false, big: '1.5', amount: 2.5, n: 3, day: '2026-11-24' };
    const chunk = new Chunk(undefined, rules);
    let offset = 0;
    const put = (batch: string, seq: number, row: object) => {
      const item = { ...record(offset, { batch, seq }), value: Buffer.from(JSON.stringify(row)) };
      offset += 1;
      return chunk.accept(item, readHeaders(item, epoch), typed, false);
    };
    expect(put('forged', 0, { ...good, n: 'abc' })).toBe('foreign');
    expect(chunk.groups.size).toBe(0);
    expect(put('a', 0, good)).toBe('row');
    // Each leaves other traces in the columns before the one that does not fit.
    const traces = { ...good, flag: true, big: '-1.5', amount: -2.5, n: -3 };
    for (const wrong of [
      { id: true },
      { flag: 'x' },
      { big: '0.001' },
      { amount: 'x' },
      { n: 0.5 },
      { day: '2026-13-01' },
    ]) {
      expect(put('a', 1, { ...traces, ...wrong })).toBe('foreign');
      expect(put('a', 1, { id: null, flag: null, big: null, day: 'x' })).toBe('foreign');
    }
    expect(put('a', 1, good)).toBe('row');
    expect(put('a', 2, {})).toBe('row');
    const [group] = chunk.groups.values();
    const read = [...typed.decode((await group?.rows.encode()) ?? Buffer.alloc(0))].flat();
    const row = { ...good, amount: '2.5', n: '3' };
    const none = { id: null, flag: null, big: null, amount: null, n: null, day: null };
    expect(read.map(({ _record, ...values }) => values)).toEqual([row, row, none]);
    expect(chunk.manifest([]).open['a']).toMatchObject({ expected: 3 });
  });

  it('never skips: a gap in the sequence is RowsMissing, with what is missing', () => {
    const chunk = new Chunk(undefined, rules);
    take(chunk, record(0, { batch: 'a', seq: 0 }));
    expect(() => take(chunk, record(1, { batch: 'a', seq: 2 }))).toThrow(/goes on with row 2, but row 1 never came/);
    const fresh = new Chunk(undefined, rules);
    expect(() => take(fresh, marker(0, 'a', 1))).toThrow(/row 0 never came/);
  });

  it('refuses a marker whose checksum is not that of the rows', () => {
    const chunk = new Chunk(undefined, rules);
    take(chunk, record(0, { batch: 'a', seq: 0 }));
    expect(() => take(chunk, marker(1, 'a', 1, [1, 2, 3, 4]))).toThrow(/another checksum/);
  });

  it('takes an empty partition’s marker, and drops a batch that was landed before', () => {
    const chunk = new Chunk(undefined, rules);
    expect(take(chunk, marker(0, 'empty', 0))).toBe('marker');
    const next = new Chunk(chunk.manifest([]), rules);
    expect(next.next).toBe(1n);
    expect(take(next, record(1, { batch: 'old', seq: 5 }), true)).toBe('resent');
    expect(take(next, marker(2, 'old', 9), true)).toBe('resent');
  });

  it('drops a whole second sending within the chunk that ended the batch', () => {
    const chunk = new Chunk(undefined, rules);
    take(chunk, record(0, { batch: 'a', seq: 0 }));
    take(chunk, marker(1, 'a', 1));
    expect(take(chunk, record(2, { batch: 'a', seq: 0 }))).toBe('resent');
    expect(take(chunk, marker(3, 'a', 1))).toBe('resent');
  });

  it('counts records that are none of ours, of another epoch or without a readable body, and goes on', () => {
    const chunk = new Chunk(undefined, rules);
    expect(take(chunk, record(0, 'foreign'))).toBe('foreign');
    const other = record(1, { batch: 'a', seq: 0 });
    expect(take(chunk, { ...other, headers: { ...other.headers, epoch: 'ffffffff' } })).toBe('foreign');
    expect(take(chunk, { ...record(2, { batch: 'a', seq: 0 }), value: Buffer.from('{') })).toBe('foreign');
    expect(chunk.manifest([]).foreign).toBe(3);
  });

  it('ends at a multiple of maxRecords offsets, and at maxBytes', () => {
    const chunk = new Chunk(undefined, { ...rules, maxRecords: 10 });
    for (let seq = 0; seq < 9; seq += 1) take(chunk, record(seq, { batch: 'a', seq }));
    expect(chunk.full).toBe(false);
    take(chunk, record(9, { batch: 'a', seq: 9 }));
    expect(chunk.full).toBe(true);
    const small = new Chunk(undefined, { ...rules, maxBytes: 50 });
    take(small, record(0, { batch: 'a', seq: 0, kind: 'x'.repeat(100) }));
    expect(small.full).toBe(true);
  });

  it('closes a batch without a row for abandonAfter of record time', () => {
    const chunk = new Chunk(undefined, rules);
    take(chunk, record(0, { batch: 'gone', seq: 0, at: 1_000 }));
    take(chunk, record(1, { batch: 'b', seq: 0, at: 100_000 }));
    const manifest = chunk.manifest([]);
    expect(manifest.abandoned).toEqual(['gone']);
    expect(Object.keys(manifest.open)).toEqual(['b']);
  });

  it('takes no notice of the time that another producer has set', () => {
    const chunk = new Chunk(undefined, rules);
    take(chunk, record(0, { batch: 'a', seq: 0, at: 1_000 }));
    take(chunk, { ...record(1, 'foreign'), timestamp: 9e15 });
    expect(chunk.manifest([]).abandoned).toEqual([]);
  });

  describe('behind a range that was given up', () => {
    const loss = { first: '2', last: '4', reason: 'gone', acceptedAt: 1_000 };
    function head(): Manifest {
      const chunk = new Chunk(undefined, rules);
      take(chunk, record(0, { batch: 'a', seq: 0 }));
      take(chunk, record(1, { batch: 'b', seq: 0 }));
      const { objects, ...before } = chunk.manifest([]);
      return { ...before, kind: 'loss', first: '2', last: '4', previous: '0', lastRecord: null, objects, loss };
    }

    it('drops a batch that has lost rows there, and takes it again from its first row', () => {
      const chunk = new Chunk(head(), rules);
      expect(take(chunk, record(5, { batch: 'a', seq: 3 }))).toBe('lost');
      expect(take(chunk, marker(6, 'a', 4))).toBe('lost');
      expect(take(chunk, record(7, { batch: 'a', seq: 0 }))).toBe('row');
      expect(take(chunk, marker(8, 'a', 1))).toBe('marker');
      const manifest = chunk.manifest([]);
      expect(manifest).toMatchObject({ lost: 2, loss });
      expect(manifest.ended['a']).toMatchObject({ rows: 1, firstChunk: '5' });
    });

    it('lets go of the rows that a batch had in the same chunk before its hole showed', () => {
      const chunk = new Chunk(head(), rules);
      expect(take(chunk, record(5, { batch: 'b', seq: 1 }))).toBe('row');
      expect(take(chunk, record(6, { batch: 'b', seq: 3 }))).toBe('lost');
      expect([...chunk.groups.values()]).toEqual([]);
    });

    it('takes a batch on that has lost nothing, and a batch without its beginning for damaged', () => {
      const chunk = new Chunk(head(), rules);
      expect(take(chunk, record(5, { batch: 'b', seq: 1 }))).toBe('row');
      expect(take(chunk, record(6, { batch: 'unseen', seq: 2 }))).toBe('lost');
    });

    it('halts all the same on a hole in a batch that began later, and on any hole when its time is over', () => {
      const chunk = new Chunk(head(), rules);
      take(chunk, record(5, { batch: 'new', seq: 0 }));
      expect(() => take(chunk, record(6, { batch: 'new', seq: 2 }))).toThrow(/row 1 never came/);
      const late = new Chunk(head(), rules);
      expect(() => take(late, record(5, { batch: 'a', seq: 3, at: 100_000 }))).toThrow(/row 1 never came/);
    });
  });

  it(`sends more than ${MAX_TYPES} values of the type column to ${OTHER_TYPE}`, () => {
    const chunk = new Chunk(undefined, rules);
    for (let seq = 0; seq < MAX_TYPES + 5; seq += 1) take(chunk, record(seq, { batch: 'a', seq, kind: `k${seq}` }));
    const types = [...chunk.groups.values()].map((group) => group.type);
    expect(types).toHaveLength(MAX_TYPES + 1);
    expect(chunk.groups.get(`a/2026-11-24/${OTHER_TYPE}`)?.rows.count).toBe(5);
  });

  it('keeps every row once, whatever is interleaved, sent again and cut into chunks (property)', async () => {
    const batches = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 4 });
    const dice = fc.infiniteStream(fc.nat());
    const limits = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(batches, dice, limits, async (sizes, dice, maxRecords) => {
        const left = sizes.map((rows, at) => ({ batch: `b${at}`, rows, at: 0, done: false }));
        const log: ReadRecord[] = [];
        while (left.some((batch) => !batch.done)) {
          const open = left.filter((batch) => !batch.done);
          const one = open[dice.next().value % open.length];
          if (!one) break;
          const again = dice.next().value % 4 === 0 && one.at > 0;
          if (again) log.push(record(log.length, { batch: one.batch, seq: dice.next().value % one.at }));
          else if (one.at < one.rows) log.push(record(log.length, { batch: one.batch, seq: one.at++ }));
          else {
            log.push(marker(log.length, one.batch, one.rows));
            one.done = true;
          }
        }
        const landed = new Map<string, string[]>();
        const done = new Set<string>();
        let head: Manifest | undefined;
        let chunk = new Chunk(head, { ...rules, maxRecords });
        for (const item of log) {
          const name = item.headers['batch'] ?? '';
          take(chunk, item, !chunk.knows(name) && done.has(name));
          if (!chunk.full) continue;
          for (const group of chunk.groups.values()) {
            const rows = landed.get(group.batch ?? '') ?? [];
            const stored = [...schema.decode(await group.rows.encode())].flat();
            landed.set(group.batch ?? '', [...rows, ...stored.map((row) => String(row['_record']))]);
          }
          head = chunk.manifest([]);
          for (const batch of Object.keys(head.ended)) done.add(batch);
          chunk = new Chunk(head, { ...rules, maxRecords });
        }
        for (const { batch, rows } of left) {
          expect(done.has(batch)).toBe(true);
          expect(landed.get(batch) ?? []).toEqual(
            Array.from({ length: rows }, (_, seq) => JSON.stringify([`${batch}-${seq}`])),
          );
        }
      }),
    );
  });
});
