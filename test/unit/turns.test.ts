import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenRun } from '../../src/activities/open-runs.ts';
import { runsAhead } from '../../src/activities/turns.ts';
import { hourOfRun, ids } from '../../src/definition/names.ts';
import { isStale, SeenSoFar, seenHours } from '../../src/stages/cleaning/earlier-hours.ts';
import type { HourRecord } from '../../src/definition/refs.ts';
import { turnWaitMs } from '../../src/workflows/await-turn.ts';

const hourOf = (n: number): string => `2026-11-24T${String(n).padStart(2, '0')}:00:00Z`;
const stages = [undefined, 'prepare', 'import', 'turn', 'clean', 'publish', 'land', 'commit', 'report'];

describe('whom a run waits for', () => {
  const open = (...runs: [number, string?][]): OpenRun[] => runs.map(([n, stage]) => ({ hour: hourOf(n), stage }));

  it.each([
    ['nobody', open([5, 'turn']), 0, []],
    ['older hours, wherever they are', open([5, 'turn'], [3, 'import'], [4], [2, 'land']), 3, [2, 3, 4]],
    ['no newer hour before its turn', open([6, 'prepare'], [7, 'import'], [8, 'turn'], [9]), 0, []],
    ['a newer hour that has had its turn, named first', open([9, 'clean'], [3, 'turn']), 2, [9, 3]],
    ['a newer hour that only commits and reports', open([6, 'commit'], [7, 'report']), 2, [6, 7]],
    ['many, of whom three are named', open([1], [2], [3], [4], [0, 'clean']), 5, [0, 1, 2]],
  ])('%s', (_what, runs, count, first) => {
    expect(runsAhead(hourOf(5), runs)).toEqual({ count, first: first.map(hourOf) });
  });

  it('is never a circle, however the stages stand: somebody can always go on', () => {
    const runs = fc
      .uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1 })
      .chain((hours) =>
        fc.tuple(...hours.map((n) => fc.record({ n: fc.constant(n), stage: fc.constantFrom(...stages) }))),
      );
    fc.assert(
      fc.property(runs, (all) => {
        const line = all.map(({ n, stage }) => ({ hour: hourOf(n), stage }));
        const free = line.filter(
          ({ hour, stage }) =>
            (stage !== undefined && !['prepare', 'import', 'turn'].includes(stage)) ||
            runsAhead(hour, line).count === 0,
        );
        expect(free.length).toBeGreaterThan(0);
      }),
    );
  });

  it('reads the hour from the id of a run, and from no other id', () => {
    expect(hourOfRun(ids.pipeline('a-b', hourOf(3)))).toEqual({ pipeline: 'a-b', hour: hourOf(3) });
    expect(hourOfRun('launch/a-b-2026')).toBeUndefined();
  });
});

describe('the wait for a turn', () => {
  it('begins with two seconds for each run ahead, grows with what the one at the head takes, and is bounded', () => {
    expect(turnWaitMs(1, 0)).toBe(2_000);
    expect(turnWaitMs(7, 0)).toBe(14_000);
    expect(turnWaitMs(1, 300_000)).toBe(30_000);
    expect(turnWaitMs(1, 3_600_000)).toBe(300_000);
    expect(turnWaitMs(1_000, 0)).toBe(300_000);
  });

  it('asks so seldom that a week fits into a history', () => {
    let asked = 0;
    for (let waited = 0; waited < 7 * 86_400_000; asked += 1) waited += turnWaitMs(1, waited);
    // Each question is an activity, a timer and two workflow tasks: eleven events, of which a history may have 51,200.
    expect(asked * 11).toBeLessThan(25_000);
  });
});

describe('what an hour had seen', () => {
  const record = (n: number, batch?: string, generation = 1): HourRecord => ({
    ...{ stream: 's', hour: hourOf(n), generation, rawSha: 'r', definitionSha: 'd', rows: 1 },
    ...(batch === undefined ? { sameAs: hourOf(0) } : { batch }),
  });
  const before = [record(0, 'a'), record(1, 'b')];

  it('is the same for the same batches, in whatever generation, and whatever hours repeat another', () => {
    const seen = seenHours(before);
    expect(seen.hours).toBe(2);
    expect(isStale({ seen }, seenHours([record(0, 'a', 7), record(1, 'b', 2), record(2)]))).toBe(false);
  });

  it.each([
    ['an hour with another batch', [record(0, 'a'), record(1, 'c')]],
    ['an hour in between', [record(0, 'a'), record(1, 'b'), record(2, 'b')]],
    ['an hour less', [record(0, 'a')]],
    ['the batch of another hour', [record(0, 'a'), record(2, 'b')]],
  ])('is another with %s', (_what, now) => {
    expect(isStale({ seen: seenHours(before) }, seenHours(now))).toBe(true);
  });

  it('does not make an hour stale that never compared itself', () => {
    expect(isStale({}, seenHours(before))).toBe(false);
  });

  it('may be read at each hour on the way', () => {
    const seen = new SeenSoFar();
    for (const [at, one] of before.entries()) {
      expect(seen.value).toEqual(seenHours(before.slice(0, at)));
      seen.add(one);
    }
    expect(seen.value).toEqual(seenHours(before));
  });
});
