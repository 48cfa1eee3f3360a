import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/definition/canonical-json.ts';
import { hourKey, hoursSinceEpoch, toLogicalHour } from '../../src/definition/hour.ts';
import { hiveEscape, keys } from '../../src/definition/names.ts';
import { equationOf } from '../../src/stages/accounting/equation.ts';
import {
  addChecksums,
  emptyChecksum,
  identityHash,
  lanesOf,
  partitionOf,
  recordId,
  sameChecksum,
} from '../../src/stages/identity.ts';

const sum = (ids: readonly string[]) => ids.map((id) => lanesOf(identityHash(id))).reduce(addChecksums, emptyChecksum);

describe('identity', () => {
  it('gives a checksum that does not depend on the order, and sees one lost and one doubled', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2 }), (ids) => {
        expect(sameChecksum(sum(ids), sum(ids.toReversed()))).toBe(true);
        const [first, , ...rest] = ids;
        expect(sameChecksum(sum(ids), sum([first ?? '', first ?? '', ...rest]))).toBe(false);
      }),
    );
  });

  it('spreads keys over partitions, the same ones each time', () => {
    const counts = [0, 0, 0];
    for (let at = 0; at < 3_000; at += 1) {
      const partition = partitionOf(identityHash(recordId([String(at)])), 3);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(partitionOf(identityHash(recordId(['45001', '29639'])), 3)).toBe(
      partitionOf(identityHash('["45001","29639"]'), 3),
    );
  });

  it('has one text for equal JSON', () => {
    expect(canonicalJson({ b: 1, a: [undefined, { d: 1, c: undefined }] })).toBe('{"a":[null,{"d":1}],"b":1}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('names', () => {
  it('floors any instant to its hour, UTC', () => {
    expect(toLogicalHour('2026-11-24T03:59:59.999Z')).toBe('2026-11-24T03:00:00Z');
    expect(toLogicalHour('2026-11-24T03')).toBe('2026-11-24T03:00:00Z');
    expect(toLogicalHour('2026-11-24T05:10:00+02:00')).toBe('2026-11-24T03:00:00Z');
    expect(() => toLogicalHour('yesterday')).toThrow(/is not an hour: write it like/);
    expect(hourKey('2026-11-24T03:00:00Z')).toBe('2026-11-24T03');
    expect(hoursSinceEpoch('1970-01-02T01:00:00Z')).toBe(25);
  });

  it('keeps a value inside its path segment', () => {
    expect(hiveEscape('a/b=c ..é')).toBe('a%2Fb%3Dc%20..%C3%A9');
    expect(hiveEscape('')).toBe('__empty__');
  });

  it('pads numbers so that keys sort by them', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), fc.bigInt({ min: 0n, max: 2n ** 63n }), (a, b) => {
        const key = (first: bigint) => keys.manifest('s', 'e', 0, first);
        expect(key(a) < key(b)).toBe(a < b);
      }),
    );
  });
});

describe('the row equation', () => {
  const rows = { read: 10, clean: 6, duplicates: 2, filtered: 1, rejected: 1 };
  const hop = (name: 'clean' | 'published' | 'landed' | 'indexed', count = 6, ids = 'abcdef') =>
    ({ name, rows: count, checksum: sum(Array.from(ids)) }) as const;

  it('holds when every hop has the same rows', () => {
    const equation = equationOf('main', rows, [hop('clean'), hop('published'), hop('landed'), hop('indexed')]);
    expect(equation).toEqual({ dataset: 'main', rows: { ...rows, published: 6, landed: 6, indexed: 6 }, holds: true });
  });

  it('names the first hop that does not hold', () => {
    expect(
      equationOf('main', rows, [hop('clean'), hop('published'), hop('landed', 5), hop('indexed', 5)]),
    ).toMatchObject({
      holds: false,
      broken: 'published 6 → landed 5',
    });
    expect(
      equationOf('main', { ...rows, read: 11 }, [hop('clean'), hop('published'), hop('landed'), hop('indexed')]).broken,
    ).toMatch(/11 rows were read, but clean 6/);
  });

  it('does not let one lost row and one doubled cancel out', () => {
    const swapped = hop('landed', 6, 'abcdee');
    expect(equationOf('main', rows, [hop('clean'), hop('published'), swapped, hop('indexed')]).broken).toMatch(
      /not the same ones/,
    );
  });
});
