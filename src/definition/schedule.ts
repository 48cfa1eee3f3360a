import { z } from 'zod';
import { calendarFields, fieldValues, type Calendar, type CalendarField, type CalendarValue } from './calendar.ts';
import { cronCalendar } from './cron.ts';
import { duration } from './duration-schema.ts';

const value = z.union([z.int(), z.string().min(1)]);
const field = z
  .union([value, z.array(value).min(1)])
  .meta({ id: 'calendarField', description: 'A number, a range like 8-18 or */6, a list, or * for all.' });

const calendar = z.strictObject({
  minute: field.optional().describe('0 to 59; 0 where left out.'),
  hour: field.optional().describe('0 to 23; 0 where left out.'),
  dayOfMonth: field.optional().describe('1 to 31.'),
  month: field.optional().describe('1 to 12, or names.'),
  dayOfWeek: field.optional().describe('0 (Sunday) to 7 (Sunday too), or names: MON-FRI.'),
  year: field.optional().describe('2000 to 2100.'),
  comment: z.string().max(150).optional(),
});
/** A calendar as people write it. */
export type CalendarInput = z.infer<typeof calendar>;

const instant = z.iso.datetime({
  offset: true,
  error: 'must be an instant with its offset, like 2026-11-24T03:00:00Z',
});

export const overlaps = ['allowAll', 'skip', 'bufferOne', 'bufferAll', 'cancelOther'] as const;
export type Overlap = (typeof overlaps)[number];
const noTerminate =
  '"terminateOther" is refused: a run that is terminated can neither clean up nor report. Did you mean "cancelOther"?';

/** When hours are run. Temporal's own words, but that a pipeline's unit is the hour. */
export const scheduleSchema = z
  .strictObject({
    every: duration
      .optional()
      .describe('How often, counted from midnight UTC. Hourly where no times are given at all.'),
    offset: duration.default('0s').describe('How long after the full interval.'),
    calendars: z.array(calendar).min(1).max(50).optional().describe('Times by the calendar, in place of `every`.'),
    cron: z
      .array(z.string())
      .min(1)
      .max(50)
      .optional()
      .describe('The same as texts of five fields: minute, hour, day of month, month, day of week. Both must fit.'),
    timezone: z.string().min(1).default('UTC').describe('Of calendars, cron and skip: Europe/Berlin.'),
    skip: z
      .array(calendar)
      .max(50)
      .default([])
      .describe(
        'Times at which nothing is started all the same; what is left out of one fits always, minute and hour too.',
      ),
    startAt: instant.optional().describe('Nothing is started before.'),
    endAt: instant.optional().describe('Nothing is started after.'),
    jitter: duration.default('0s').describe('Start later by a random time up to this; the hour stays the same.'),
    overlap: z
      .enum(overlaps, { error: ({ input }) => (input === 'terminateOther' ? noTerminate : undefined) })
      .default('allowAll')
      .describe('Where an earlier run is still on its way. An hour that is not imported in time may be gone.'),
    pauseOnFailure: z.boolean().default(false).describe('Pause the schedule when an hour has failed.'),
    catchUp: duration.default('2h').describe('After an outage, hours missed longer ago than this are not made up for.'),
    paused: z.boolean().default(false).describe('For a schedule that is new; later, people pause and resume it.'),
  })
  .transform((schedule) =>
    schedule.every === undefined && schedule.calendars === undefined && schedule.cron === undefined
      ? { every: '1h', ...schedule }
      : schedule,
  );

export type ScheduleSection = z.infer<typeof scheduleSchema>;

/** A calendar or cron text with all its values. `text` is what was written, where that was a cron text or had a comment. */
export interface NamedCalendar {
  readonly calendar: Calendar;
  readonly text?: string;
}

/** The calendars of a sound section, those that were written as cron texts behind the others. */
export function calendarsOf({ calendars = [], cron = [] }: ScheduleSection): NamedCalendar[] {
  return [
    ...calendars.map((written) => ({
      calendar: calendarValues(written),
      ...(written.comment === undefined ? {} : { text: written.comment }),
    })),
    ...cron.flatMap((text) => {
      const parsed = cronCalendar(text);
      return 'fields' in parsed ? [{ calendar: calendarValues(parsed.fields), text: `cron ${text}` }] : [];
    }),
  ];
}

/** The times at which nothing is started: other than Temporal's own, a field that is left out fits always. */
export function skippedOf({ skip }: ScheduleSection): Calendar[] {
  return skip.map((written) => calendarValues({ minute: '*', hour: '*', ...written }));
}

/** Every value of a calendar; a field that means nothing has none. */
export function calendarValues(written: { readonly [Field in CalendarField]?: CalendarValue | undefined }): Calendar {
  const values = calendarFields.map((name) => {
    const found = fieldValues(name, written[name]);
    return [name, 'values' in found ? found.values : []];
  });
  return Object.fromEntries(values) as Calendar;
}
