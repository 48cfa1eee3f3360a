import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotsFor, type HeldSlot, type WaitingRun } from '../../src/activities/slots.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { hourOfRun, ids, slotOf } from '../../src/definition/names.ts';

const hourOf = (n: number): string => `2026-11-24T${String(n).padStart(2, '0')}:00:00Z`;
const waits = (pipeline: string, n: number): WaitingRun => ({ pipeline, hour: hourOf(n) });
const holds = (...pipelines: string[]): HeldSlot[] => pipelines.map((pipeline, slot) => ({ slot, pipeline }));

describe('which slot a run may try', () => {
  it.each([
    ['any that is free', waits('a', 5), 2, [], [], { room: 2, free: [0, 1], ahead: 0 }],
    ['none where all are held', waits('a', 5), 2, holds('b', 'c'), [], { room: 0, free: [], ahead: 0 }],
    [
      'none where more are held than there may be now',
      waits('a', 5),
      2,
      holds('b', 'c', 'd'),
      [],
      { room: 0, free: [], ahead: 0 },
    ],
    [
      'none where an older hour of its pipeline goes first',
      ...([waits('a', 5), 1, [], [waits('a', 4), waits('a', 3)]] as const),
      { room: 1, free: [], ahead: 2 },
    ],
    [
      'another one than who goes at the same moment',
      ...([waits('a', 5), 3, [], [waits('a', 4)]] as const),
      { room: 3, free: [1, 2, 0], ahead: 1 },
    ],
    [
      'the one that is left, however many hours another pipeline waits with',
      ...([
        waits('hourly', 9),
        3,
        holds('backfill', 'backfill'),
        [1, 2, 3, 4].map((n) => waits('backfill', n)),
      ] as const),
      { room: 1, free: [2], ahead: 0 },
    ],
    [
      'in turns with a pipeline that has as many',
      ...([waits('b', 9), 4, [], [waits('a', 1), waits('a', 2), waits('b', 8)]] as const),
      { room: 4, free: [3, 0, 1], ahead: 3 },
    ],
    ['itself, seen in the list, is not ahead', waits('a', 5), 1, [], [waits('a', 5)], { room: 1, free: [0], ahead: 0 }],
    [
      'the one that is left beside a run that is paused behind its own',
      ...([waits('a', 5), 2, [{ slot: 0, ...waits('a', 4) }], [waits('a', 4)]] as const),
      { room: 1, free: [1], ahead: 0 },
    ],
    [
      'none for a while, where who goes first does not come',
      ...([{ ...waits('a', 5), passedOverMs: 599_999 }, 1, [], [waits('a', 4)]] as const),
      { room: 1, free: [], ahead: 1 },
    ],
    [
      'what is free after that',
      ...([{ ...waits('a', 5), passedOverMs: 600_000 }, 1, [], [waits('a', 4), waits('a', 3)]] as const),
      { room: 1, free: [0], ahead: 2 },
    ],
    [
      'none even then, where all are held',
      ...([{ ...waits('a', 5), passedOverMs: 600_000 }, 1, holds('b'), [waits('a', 4)]] as const),
      { room: 0, free: [], ahead: 1 },
    ],
  ])('%s', (_what, me, limit, held, listed, found) => {
    expect(slotsFor(me, limit, held, listed)).toEqual({ limit, ...found });
  });

  it('is never more than there are, and somebody goes wherever one is free', () => {
    const run = fc.record({ pipeline: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 23 }) });
    const waiting = fc.uniqueArray(run, { minLength: 1, maxLength: 12, selector: ({ pipeline, n }) => pipeline + n });
    const held = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 });
    fc.assert(
      fc.property(waiting, held, fc.integer({ min: 1, max: 4 }), (runs, holders, limit) => {
        const line = runs.map(({ pipeline, n }) => waits(pipeline, n));
        const found = line.map((me) => slotsFor(me, limit, holds(...holders), line));
        const room = Math.max(limit - holders.length, 0);
        expect(found.filter(({ free }) => free.length > 0)).toHaveLength(Math.min(room, line.length));
        expect(found.map(({ ahead }) => ahead).toSorted((a, b) => a - b)).toEqual(line.map((_, at) => at));
      }),
    );
  });

  it('is known by its id, as a run is', () => {
    expect(slotOf(ids.slot(7))).toBe(7);
    expect(slotOf(ids.pipeline('slot', hourOf(1)))).toBeUndefined();
    expect(hourOfRun(ids.slot(7))).toBeUndefined();
  });

  it('is limited where the worker’s configuration says so, by a number', () => {
    expect(readSettings({}).maxRuns).toBeUndefined();
    expect(readSettings({ SLUICE_MAX_RUNS: '12' }).maxRuns).toBe(12);
    for (const text of ['0', '-1', '1.5', 'many', '']) {
      expect(() => readSettings({ SLUICE_MAX_RUNS: text })).toThrow(/SLUICE_MAX_RUNS: needs a number of runs/);
    }
  });
});
