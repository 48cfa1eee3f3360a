import { describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { BatchRecord, DataObject, HourRecord } from '../../src/definition/refs.ts';
import { planCompaction, SMALL_BYTES } from '../../src/stages/maintaining/compact-plan.ts';
import { parseDataFile } from '../../src/stages/maintaining/data-file.ts';
import { garbageOf, type BatchState, type ChainState } from '../../src/stages/maintaining/reachable.ts';
import { planRetention } from '../../src/stages/maintaining/retention-plan.ts';
import { maintenanceLines } from '../../src/workflows/maintenance-messages.ts';

const batch = '0123456789abcdef';
const sha = 'ab'.repeat(32);
const landed = (first: bigint, type = 'record', partition = 0): string =>
  keys.dataPrefix('s', '2026-11-24', type) + keys.dataFile(batch, 'e0e0e0e0', partition, first, sha, 'parquet');
const compacted = (version: number, type = 'record'): string =>
  keys.dataPrefix('s', '2026-11-24', type) + keys.compactedFile(batch, version, sha, 'parquet');

describe('the name of a data object', () => {
  it('says who may name it', () => {
    expect(parseDataFile(landed(40n, 'a/b', 12))).toEqual({
      ...{ kind: 'landed', batch, epoch: 'e0e0e0e0', partition: 12, first: 40n },
    });
    expect(parseDataFile(compacted(2))).toEqual({ kind: 'compacted', batch, version: 2 });
    expect(parseDataFile('landing/s/date=2026-11-24/type=record/notes.txt')).toBeUndefined();
  });
});

describe('planCompaction', () => {
  const object = (key: string, type: string, bytes = 100): DataObject => ({
    ...{ key, type, bytes, date: '2026-11-24', sha256: sha, rows: 1, checksum: [1, 1, 1, 1] },
  });
  const record = (objects: DataObject[]): BatchRecord => ({
    ...{ batch, version: 1, stream: 's', hour: '2026-11-24T03:00:00Z', epoch: 'e0e0e0e0', schema: 'x' },
    ...{ format: 'parquet', rows: objects.length, checksum: [0, 0, 0, 0], objects },
  });

  it('takes the small objects of a date and type where there are two', () => {
    const [a, b, c] = [object(landed(0n), 'record'), object(landed(10n), 'record'), object(landed(0n, 'x'), 'x')];
    expect(planCompaction(record([a, b, c]))).toEqual({
      groups: [{ date: '2026-11-24', type: 'record', from: [a, b] }],
      kept: [c],
    });
  });

  it('finds nothing to do where there is one, where they are large, and where it has been done', () => {
    expect(planCompaction(record([object(landed(0n), 'record')]))).toBeUndefined();
    const large = object(landed(10n), 'record', SMALL_BYTES);
    expect(planCompaction(record([object(landed(0n), 'record'), large]))).toBeUndefined();
    expect(planCompaction(record([object(compacted(2), 'record'), object(compacted(2), 'record')]))).toBeUndefined();
    expect(planCompaction(record([]))).toBeUndefined();
  });
});

describe('garbageOf', () => {
  const chain = (position: bigint, begun: readonly (readonly [string, bigint])[] = []): ChainState => ({
    ...{ position, begun: new Map(begun) },
  });
  const landing: BatchState = { kind: 'landing', named: new Set([landed(0n)]) };
  const committed = (version: number, ...named: string[]): BatchState => ({
    ...{ kind: 'committed', version, named: new Set(named) },
  });
  const judge = (key: string, state: BatchState, at: ChainState) => {
    const file = parseDataFile(key);
    return file && garbageOf(key, file, state, at);
  };

  it('keeps an object that a manifest may still name, however old it is', () => {
    expect(judge(landed(50n), landing, chain(50n))).toBeUndefined();
    expect(judge(landed(60n), landing, chain(50n))).toBeUndefined();
    expect(judge(landed(49n), landing, chain(50n))).toMatch(/no manifest/);
  });

  it('keeps what a batch has landed so far, and lets it go once the batch was abandoned', () => {
    expect(judge(landed(20n), landing, chain(50n, [[batch, 20n]]))).toBeUndefined();
    expect(judge(landed(20n), landing, chain(50n, [[batch, 30n]]))).toMatch(/no manifest/);
    expect(judge(landed(20n), landing, chain(50n, [['fedcba9876543210', 0n]]))).toMatch(/no manifest/);
    expect(judge(landed(0n), landing, chain(50n))).toBeUndefined();
  });

  it('keeps what a record names', () => {
    expect(judge(landed(0n), committed(1, landed(0n)), chain(50n))).toBeUndefined();
    expect(judge(landed(0n), committed(2, compacted(2)), chain(50n))).toMatch(/older versions/);
    expect(judge(compacted(2), committed(2, compacted(2)), chain(0n))).toBeUndefined();
  });

  it('keeps what a compaction on its way may name, and lets go what lost', () => {
    expect(judge(compacted(2), committed(1, landed(0n)), chain(0n))).toBeUndefined();
    expect(judge(compacted(2), committed(2, compacted(2, 'other')), chain(0n))).toMatch(/no manifest/);
    expect(judge(compacted(2), committed(3, compacted(3)), chain(0n))).toMatch(/no manifest/);
  });

  it('lets all of a removed hour go', () => {
    expect(judge(landed(60n), { kind: 'removed' }, chain(0n))).toMatch(/not kept/);
  });
});

describe('planRetention', () => {
  const at = (n: number): string => `2026-11-${String(n).padStart(2, '0')}T00:00:00Z`;
  const hour = (n: number, more: Partial<HourRecord> = {}): HourRecord => ({
    ...{ stream: 's', hour: at(n), generation: 1, batch: `b${n}`, rawSha: 'r', definitionSha: 'd', rows: 1 },
    ...more,
  });

  it('removes what is older, and runs that never came to a record', () => {
    expect(planRetention([hour(1), hour(2), hour(9)], [at(2), at(3)], at(5))).toEqual({
      ...{ remove: [at(1), at(2), at(3)], heldBack: [] },
    });
  });

  it('keeps the newest hour of each data set', () => {
    expect(planRetention([hour(1), hour(2)], [], at(5))).toEqual({
      ...{ remove: [at(1)], heldBack: [{ hour: at(2), because: 'it is the newest hour of s' }] },
    });
    const records = [hour(1, { stream: 's.a' }), hour(1), hour(9)];
    expect(planRetention(records, [], at(5)).heldBack).toEqual([
      { hour: at(1), because: 'it is the newest hour of s.a' },
    ]);
  });

  it('keeps an hour that another one repeats', () => {
    const repeats = hour(9, { sameAs: at(2), rows: 0 });
    expect(planRetention([hour(1), hour(2), hour(3), repeats], [], at(5))).toEqual({
      ...{ remove: [at(1), at(3)], heldBack: [{ hour: at(2), because: `${at(9)} repeats it` }] },
    });
  });

  it('keeps all hours that a kept one was compared with', () => {
    const compared = hour(4, { seen: { hours: 2, sha256: 'x' } });
    expect(planRetention([hour(1), hour(2), compared, hour(9)], [], at(4))).toMatchObject({
      ...{ remove: [], heldBack: [{ hour: at(1) }, { hour: at(2) }] },
    });
    expect(planRetention([hour(1), hour(2), compared, hour(9)], [], at(5)).remove).toEqual([at(1), at(2), at(4)]);
  });

  it('leaves hours alone that were removed before', () => {
    const removed = hour(1, { removed: { at: at(8), reason: 'keep.hours 2d' } });
    expect(planRetention([removed, hour(9)], [at(1)], at(5))).toEqual({ remove: [], heldBack: [] });
    const half = planRetention([removed, hour(1, { stream: 's.a' }), hour(9)], [], at(5));
    expect(half.heldBack).toEqual([{ hour: at(1), because: 'it is the newest hour of s.a' }]);
  });
});

describe('maintenanceLines', () => {
  it('says the same of a dry run but for the words that say so', () => {
    const tallies = [{ what: 'temporary objects', objects: 1234, bytes: 5_000_000, first: ['a', 'b', 'c', 'd', 'e'] }];
    const lines = (dryRun: boolean): string[] => maintenanceLines({ pipeline: 'p', dryRun, gc: { tallies } });
    expect(lines(true)).toEqual([
      'gc      p: would remove 1,234 objects',
      '        1,234 temporary objects, 5,000,000 bytes',
      ...['          a', '          b', '          c', '          …'],
    ]);
    expect(lines(false)).toEqual(['gc      p: removed 1,234 objects', ...lines(true).slice(1)]);
  });
});
