import { z } from 'zod';
import { identifier } from './columns.ts';
import { isAlwaysForwards, MOMENT_FORMS, momentPattern } from './moment.ts';
import { ownPanelSchema } from './own-panels.ts';

const moment = z.string().regex(momentPattern, `must be like ${MOMENT_FORMS}`);

const isOnce = (names: readonly string[]): boolean => new Set(names).size === names.length;
const ONCE = 'names a column twice: once is enough';

/** What fields mean, and what is shown of them. */
export const dashboardsSchema = z.strictObject({
  title: z.string().min(1).optional(),
  time: identifier.optional().describe('The date or timestamp column of the time axis.'),
  location: z
    .strictObject({ latitude: identifier, longitude: identifier })
    .optional()
    .describe('Indexed as `location`, a geo point.'),
  measures: z
    .array(identifier)
    .min(1)
    .max(6)
    .refine(isOnce, ONCE)
    .meta({ uniqueItems: true })
    .optional()
    .describe(
      'Numbers worth a trend, a distribution and a map, the main one first; the first decimals where left out.',
    ),
  categories: z
    .array(identifier)
    .max(6)
    .refine(isOnce, ONCE)
    .meta({ uniqueItems: true })
    .optional()
    .describe('Columns worth counting by; bands and the first texts outside of the key where left out.'),
  state: identifier.optional().describe('The column with the two letters of a US state: `CA`.'),
  county: identifier.optional().describe('The column with the five digits of a US county (FIPS): `06037`.'),
  error: z
    .strictObject({ of: identifier, range: identifier })
    .optional()
    .describe('A measure, and the column that says how far off it may be.'),
  range: z
    .strictObject({ from: moment, to: moment.default('now') })
    .refine((range) => isAlwaysForwards(range) !== false, 'must end after it begins')
    .optional()
    .describe(
      'The time that is shown at first: `now-7d`, `2019-11-01`; a day at its end belongs to it. The last 24 hours where left out; in mode `latest`, by `hour`, all of time.',
    ),
  panels: z
    .array(ownPanelSchema)
    .max(20)
    .optional()
    .describe('Charts written by hand, beside those that are made from the columns.'),
});
