import { describe, expect, it } from 'vitest';
import { fieldOf } from '../../src/dashboards/page/moments.ts';
import { offered } from '../../src/dashboards/page/offered.ts';

describe('values to filter by', () => {
  it('are those that the API takes, and those that are chosen already', () => {
    expect(offered({ values: ['a', 'b'] }, ['b', 'z'])).toEqual({ values: ['a', 'b', 'z'], notes: [] });
    expect(offered({ values: ['', 'a', 'x'.repeat(200), 'x'.repeat(201)] }, [])).toEqual({
      values: ['a', 'x'.repeat(200)],
      notes: ['Empty values, and those of more than 200 characters, cannot be chosen.'],
    });
  });

  it('are not said to be all where there are more', () => {
    const { notes } = offered({ values: ['a', 'b'], more: true }, []);
    expect(notes).toEqual(['These are the first 2 values; there are more.']);
  });
});

describe('a field for a time', () => {
  const now = Date.parse('2026-11-26T15:30:20Z');
  it.each([
    ['now', '2026-11-26T15:30', '2026-11-26T15:30'],
    ['now-24h', '2026-11-25T15:30', '2026-11-25T15:30'],
    ['now-1y/y', '2025-11-26T09:30', '2025-11-26T09:30'],
    ['2020-10-31', '2020-10-31T00:00', '2020-10-31T23:59'],
    ['2020-10-31T05', '2020-10-31T05:00', '2020-10-31T05:59'],
    ['2020-10-31T05:10', '2020-10-31T05:10', '2020-10-31T05:10'],
    ['2026-11-24T03:00:00Z', '2026-11-24T03:00', '2026-11-24T03:00'],
    ['2026-11-24T03:00:00+01:00', '2026-11-24T02:00', '2026-11-24T02:00'],
    ['yesterday', '', ''],
  ])('has %s', (date, begin, end) => {
    expect([fieldOf(date, false, now), fieldOf(date, true, now)]).toEqual([begin, end]);
  });
});
