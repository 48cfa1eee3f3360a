import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/client/schedules/differences.ts';
import { describedLines, planLines } from '../../src/client/cli/schedule-lines.ts';
import { durationText, scheduleWords } from '../../src/client/schedules/words.ts';
import { checkDefinition } from '../../src/definition/check-definition.ts';
import { canonicalJson } from '../../src/definition/canonical-json.ts';
import { rangesOf } from '../../src/definition/calendar.ts';
import { durationMs } from '../../src/definition/duration.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import type { Pipeline, PipelineInput } from '../../src/definition/pipeline.ts';

const source = 'https://example.org/a.csv';
const checked = (schedule: unknown, url = source) =>
  checkDefinition({ name: 'p', source: { url }, columns: { a: { name: 'a' } }, schedule });
const problems = (schedule: unknown, url = source): string[] => {
  const found = checked(schedule, url);
  return 'findings' in found ? found.findings.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
};
const sound = (schedule: PipelineInput['schedule'], url = source): Pipeline => {
  const found = checked(schedule, url);
  if ('findings' in found) throw new Error(JSON.stringify(found.findings));
  return found.pipeline;
};

describe('the schedule of a definition', () => {
  it.each([
    [
      'minutes',
      { every: '45m' },
      /^schedule\.every: "45m" is more than once an hour: .* two starts in one hour are one/,
    ],
    ['an offset beyond the interval', { every: '2h', offset: '2h' }, /offset: "2h" is not shorter than every \(2h\)/],
    ['parts of seconds', { every: '3600001ms' }, /every: must be whole seconds/],
    ['every beside cron', { every: '1d', cron: ['0 1 * * *'] }, /every: stands beside calendars or cron/],
    ['an offset of nothing', { offset: '5m', cron: ['0 1 * * *'] }, /offset: belongs to `every`/],
    ['a name that is no day', { cron: ['0 1 * * Mnday'] }, /cron\.0: dayOfWeek: "Mnday" .* Did you mean "monday"\?/],
    [
      'a name that is no month',
      { calendars: [{ month: 'Dezember' }] },
      /calendars\.0\.month: .* Did you mean "december"/,
    ],
    ['four fields', { cron: ['0 1 * *'] }, /cron\.0: has 4 fields, not 5/],
    ['six fields', { cron: ['0 1 * * * 2027'] }, /cron\.0: has 6 fields/],
    ['a zone in a cron text', { cron: ['TZ=UTC 0 1 * * *'] }, /is said by schedule\.timezone/],
    ['@every', { cron: ['@every 2h'] }, /is said by schedule\.every/],
    ['an unknown word', { cron: ['@hourli'] }, /"@hourli" is not known/],
    ['an hour that is none', { calendars: [{ hour: '8-24' }] }, /calendars\.0\.hour: "24" is no number from 0 to 23/],
    ['a range that goes back', { calendars: [{ hour: '18-8' }] }, /hour: ends with 8 before it begins with 18/],
    ['a step of nothing', { calendars: [{ hour: '0-6/0' }] }, /has no step behind its \//],
    ['an unknown member', { calendars: [{ houer: 1 }] }, /calendars\.0\.houer: .* Did you mean "hour"\?/],
    [
      'a zone that is none',
      { cron: ['0 1 * * *'], timezone: 'Europe/Berlon' },
      /timezone: .* Did you mean "Europe\/Berlin"/,
    ],
    ['a zone written small', { cron: ['0 1 * * *'], timezone: 'europe/berlin' }, /Did you mean "Europe\/Berlin"/],
    ['an offset for a zone', { cron: ['0 1 * * *'], timezone: '+01:00' }, /"\+01:00" is no time zone/],
    ['a zone that nothing goes by', { timezone: 'Asia/Tokyo' }, /timezone: has no meaning for `every`/],
    [
      'an end before its beginning',
      { startAt: '2026-01-02T00:00:00Z', endAt: '2026-01-01T00:00:00Z' },
      /endAt: is not after/,
    ],
    ['a day without an hour', { startAt: '2026-01-02' }, /startAt: must be an instant with its offset/],
    ['no time to catch up', { catchUp: '5s' }, /catchUp: "5s" is shorter than 10s/],
    [
      'terminateOther',
      { overlap: 'terminateOther' },
      /overlap: .*can neither clean up nor report\. Did you mean "cancelOther"/,
    ],
    [
      'an overlap that is none',
      { overlap: 'bufferone' },
      /overlap: must be one of allowAll, .* Did you mean "bufferOne"/,
    ],
    [
      'a pause that nobody could see a reason for',
      { pauseOnFailure: true },
      /pauseOnFailure: needs an overlap other than allowAll/,
    ],
    ['two minutes of an hour', { cron: ['0,30 6 * * *'] }, /cron\.0: starts an hour twice \(06:00 and 06:30\)/],
    ['two calendars in one hour', { calendars: [{ hour: 6 }], cron: ['5 6 * * *'] }, /cron\.0: .*\(06:00 and 06:05\)/],
    [
      'two local hours that are one of UTC',
      { cron: ['45 6 * * *', '15 7 * * *'], timezone: 'Asia/Kolkata' },
      /cron\.1: starts an hour twice \(06:45 and 07:15\)/,
    ],
    [
      'two local days that share an hour of UTC',
      { cron: ['15 0 * * *', '45 23 * * *'], timezone: 'Asia/Kolkata' },
      /cron\.1: starts an hour twice \(00:15 and 23:45\)/,
    ],
    ['every hour of a zone', { cron: ['0 * * * *'], timezone: 'Europe/Berlin' }, /cron\.0: has every hour, in a zone/],
    ['a jitter beyond the hour', { every: '1h', offset: '40m', jitter: '26m' }, /jitter: "26m" .* At most 25m here/],
    ['the same of a calendar', { cron: ['50 1 * * *'], jitter: '20m' }, /jitter: .* 50 minutes past it.* At most 15m/],
    ['the same of an odd interval', { every: '90m', jitter: '36m' }, /jitter: .* 30 minutes past it/],
  ])('is refused with %s', (_what, schedule, sentence) => {
    expect(problems(schedule)).toEqual([expect.stringMatching(sentence)]);
  });

  it.each([
    ['nothing', {}],
    ['an odd interval', { every: '90m', offset: '30m' }],
    ['the same time by two calendars', { cron: ['0 6 * * *', '0 6 * * MON'] }],
    ['other days', { cron: ['0 6 * * MON', '30 6 * * TUE'] }],
    ['other months', { calendars: [{ hour: 6, month: 'JAN' }], cron: ['30 6 * FEB *'] }],
    ['other local hours', { cron: ['45 6 * * *', '15 7 * * *'] }],
    ['days that share an hour in another zone only', { cron: ['15 0 * * *', '45 23 * * *'] }],
    ['an alias of a zone', { cron: ['0 6 * * *'], timezone: 'US/Pacific' }],
    ['every hour of a zone without changes', { cron: ['0 * * * *'], timezone: 'Asia/Tokyo' }],
    ['a zone for what is skipped', { skip: [{ hour: 3 }], timezone: 'Europe/Berlin' }],
    ['jitter within the hour', { every: '1h', jitter: '50m' }],
    ['a pause on failure', { pauseOnFailure: true, overlap: 'bufferAll' }],
  ] satisfies [string, PipelineInput['schedule']][])('may say %s', (_what, schedule) => {
    expect(problems(schedule)).toEqual([]);
    const pipeline = sound(schedule);
    expect(checkDefinition(pipeline)).toEqual({ pipeline });
  });

  it('may be late where the source names its hour', () => {
    expect(problems({ jitter: '3h', every: '6h' }, 'https://example.org/${hour:YYYY-MM-DD-HH}.csv')).toEqual([]);
  });

  it('is hourly where nothing is said, and only there', () => {
    expect(sound({}).schedule.every).toBe('1h');
    expect(sound({ cron: ['@daily'] }).schedule.every).toBeUndefined();
  });

  it('shows its problems at their places', () => {
    const text =
      'name: p\nsource: { url: x }\ncolumns: { a: { name: a } }\nschedule:\n  cron:\n    - 0 6 * * *\n    - 0 25 * * *\n';
    const parsed = parseDefinition(text.replace('url: x', `url: ${source}`));
    expect('problems' in parsed ? parsed.problems : []).toMatchObject([
      { path: 'schedule.cron.1', line: 7, column: 7 },
    ]);
  });

  it('is said in words', () => {
    const words = (schedule: PipelineInput['schedule']) => scheduleWords(sound(schedule)).join('; ');
    expect(words({})).toBe('every 1h');
    expect(words({ every: '6h', offset: '90m' })).toBe('every 6h, 90m past');
    expect(words({ cron: ['5 8-18/2 * * MON-FRI'] })).toBe('08:05, 10:05, 12:05, 14:05, 16:05, 18:05 on MON-FRI');
    expect(words({ cron: ['5 * 1,15 JAN-MAR *'] })).toBe('minute 5 of hour * on day 1,15 of the month in JAN-MAR');
    expect(words({ calendars: [{ hour: 3, dayOfWeek: 7, year: '2026-2028' }] })).toBe('03:00 on SUN in 2026-2028');
  });

  it('has values as ranges that stand for the same values, and durations as texts that stand for the same time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 59 })), fc.nat(100_000_000), (some, ms) => {
        const values = some.toSorted((a, b) => a - b);
        const spread = rangesOf(values).flatMap(({ start, end, step }) =>
          Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, n) => start + n * step),
        );
        expect(spread).toEqual(values);
        expect(durationMs(durationText(ms))).toBe(ms);
      }),
    );
  });
});

describe('differences', () => {
  it('are none between equal values, and both ways the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [one, other] = [a, b] as [never, never];
        expect(differencesOf(one, one)).toEqual([]);
        const there = differencesOf(one, other);
        expect(there.length === 0).toBe(differencesOf(other, one).length === 0);
        // A member that is null counts as one that is not there.
        expect(there.length > 0 || bare(one) === bare(other)).toBe(true);
      }),
    );
  });

  it('are fields, lists of plain values whole, and the order of members', () => {
    expect(differencesOf({}, { constructor: 1 } as never)).toEqual([{ path: 'constructor', new: 1 }]);
    const stands = { a: { list: [1, 2], deep: [{ x: 1 }, { x: 2 }] }, old: true };
    const wanted = { a: { deep: [{ x: 1 }, { x: 3 }], list: [1, 3] }, fresh: 'yes' };
    expect(differencesOf(stands, wanted)).toEqual([
      { path: 'a.deep.1.x', old: 2, new: 3 },
      { path: 'a.list', old: [1, 2], new: [1, 3] },
      { path: 'a (order)', old: ['list', 'deep'], new: ['deep', 'list'] },
      { path: 'fresh', new: 'yes' },
      { path: 'old', old: true },
    ]);
  });

  it('are shown once, though two schedules have the definition in them', () => {
    const differences = [{ path: 'input.pipeline.key', old: ['a'], new: ['a', 'b'] }];
    const lines = planLines(
      [
        {
          scheduleId: 'p',
          change: 'update',
          differences: [{ path: 'overlap', old: 'skip', new: 'allowAll' }, ...differences],
          notes: [],
        },
        { scheduleId: 'maintenance/p', change: 'update', differences, notes: ['note'] },
        { scheduleId: 'q', change: 'none', differences: [], notes: [] },
      ],
      'would',
    );
    expect(stripVTControlCharacters(lines.join('\n'))).toBe(
      [
        'p would change',
        '  overlap: skip → allowAll',
        '  input.pipeline.key: ["a"] → ["a","b"]',
        'maintenance/p would change',
        '  the same in its definition',
        '  note',
        'q is as the definition says',
      ].join('\n'),
    );
  });
});

describe('what describe shows', () => {
  it('says what is out of the ordinary, and local times', () => {
    const lines = describedLines({
      ...{ scheduleId: 'p', pipeline: 'p', starts: 'launch', paused: true, note: 'source is down', times: ['06:00'] },
      ...{ skip: [], timezone: 'Europe/Berlin', jitter: '0s', overlap: 'skip', catchUp: '2h', pauseOnFailure: true },
      ...{ next: ['2026-07-01T04:00:00Z'], recent: [], running: [], waiting: 2, createdAt: '2026-01-01T00:00:00Z' },
      counts: { started: 1_000, missed: 2, skipped: 3, dropped: 0 },
    });
    expect(lines.map(stripVTControlCharacters)).toEqual([
      'p  paused: source is down',
      '  starts       launch',
      '  times        06:00 (Europe/Berlin)',
      '  overlap      skip, pauses when an hour has failed',
      '  catches up   what was missed up to 2h ago',
      '  so far       1,000 started, 2 missed, 3 skipped for another',
      '  waiting      2',
      '  next         2026-07-01T04:00:00Z (2026-07-01 06:00)',
    ]);
  });
});

const withoutNull = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
    : value;
const bare = (value: unknown): string => canonicalJson(JSON.parse(JSON.stringify(value, withoutNull)));
