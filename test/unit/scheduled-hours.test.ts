import { describe, expect, it } from 'vitest';
import { scheduledHours } from '../../src/definition/scheduled-hours.ts';
import { scheduleSchema } from '../../src/definition/schedule.ts';

const hoursOf = (section: object, from: string, to: string): string[] =>
  scheduledHours(scheduleSchema.parse(section), `${from}:00:00Z`, `${to}:00:00Z`).map((hour) => hour.slice(5, 13));

describe('the hours of a range in which a schedule starts a run', () => {
  it('are all of them where nothing is said, both ends among them', () => {
    expect(hoursOf({}, '2026-11-24T22', '2026-11-25T01')).toEqual(['11-24T22', '11-24T23', '11-25T00', '11-25T01']);
    expect(hoursOf({ offset: '59m' }, '2026-11-24T22', '2026-11-24T23')).toEqual(['11-24T22', '11-24T23']);
    expect(hoursOf({}, '2026-11-24T22', '2026-11-24T21')).toEqual([]);
  });

  it('follow an interval, counted from midnight UTC, and its offset', () => {
    expect(hoursOf({ every: '6h' }, '2026-11-24T01', '2026-11-25T00')).toEqual([
      ...['11-24T06', '11-24T12', '11-24T18', '11-25T00'],
    ]);
    expect(hoursOf({ every: '6h', offset: '90m' }, '2026-11-24T00', '2026-11-24T12')).toEqual(['11-24T01', '11-24T07']);
    // Every 90 minutes: in some hours none begins.
    expect(hoursOf({ every: '90m' }, '2026-11-24T00', '2026-11-24T05')).toEqual([
      '11-24T00',
      '11-24T01',
      '11-24T03',
      '11-24T04',
    ]);
  });

  it('follow calendars and cron texts by the clocks of their zone, and leave out what is skipped', () => {
    const mornings = { calendars: [{ hour: '6-18/6', dayOfWeek: 'MON-FRI' }], timezone: 'Europe/Berlin' };
    // A Friday; Berlin is an hour ahead.
    expect(hoursOf(mornings, '2026-11-20T00', '2026-11-23T06')).toEqual([
      '11-20T05',
      '11-20T11',
      '11-20T17',
      '11-23T05',
    ]);
    expect(hoursOf({ cron: ['15 3 1 * *'] }, '2026-10-30T00', '2026-11-02T00')).toEqual(['11-01T03']);
    const half = { calendars: [{ hour: 9, minute: 0 }], timezone: 'Asia/Kolkata' };
    expect(hoursOf(half, '2026-11-24T00', '2026-11-24T23')).toEqual(['11-24T03']);
    const skipping = { skip: [{ hour: '1-22' }] };
    expect(hoursOf(skipping, '2026-11-24T00', '2026-11-24T23')).toEqual(['11-24T00', '11-24T23']);
  });

  it('move with the clocks: a day in summer begins an hour earlier', () => {
    const daily = { calendars: [{ hour: 12 }], timezone: 'Europe/Berlin' };
    expect(hoursOf(daily, '2026-10-24T00', '2026-10-26T00')).toEqual(['10-24T10', '10-25T11']);
  });

  it('heed no startAt and endAt: who names a range means it', () => {
    const later = { startAt: '2026-12-01T00:00:00Z' };
    expect(hoursOf(later, '2026-11-24T00', '2026-11-24T01')).toEqual(['11-24T00', '11-24T01']);
  });
});
