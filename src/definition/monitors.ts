import { z } from 'zod';
import { identifier } from './columns.ts';
import { duration } from './duration-schema.ts';
import { severities, type MonitorRule } from './incidents.ts';
import { workStages } from './names.ts';

export const sensitivities = ['low', 'normal', 'high'] as const;
export type Sensitivity = (typeof sensitivities)[number];

/** For whatever is judged: it is said, and nobody is told. */
export const mute = z
  .union([
    z.boolean(),
    z.strictObject({
      until: z
        .string()
        .refine((text) => z.union([z.iso.date(), z.iso.datetime()]).safeParse(text).success, {
          error: 'must be a day or a moment in UTC, like 2026-12-01 or 2026-12-01T06:00:00Z',
        })
        .describe('A day, or a moment in UTC: 2026-12-01, 2026-12-01T06:00:00Z. It is judged again from then on.'),
    }),
  ])
  .optional()
  .describe('Judge and report it, but tell nobody: for good, or until a moment.');
const common = {
  mute,
  sensitivity: z
    .enum(sensitivities)
    .optional()
    .describe('How far from the usual is odd; that of the section where left out.'),
  severity: z.enum(severities).optional().describe('How bad it is; by how far it is off where left out.'),
};

const number = (text: string) => z.number().min(0).optional().describe(text);
const least = (what: string, fallback: string) => number(`A change of fewer ${what} is none; ${fallback}.`);
const leastPercent = (fallback: number) => number(`A change by less than so many percent is none; ${fallback}.`);
const min = (what: string) => number(`Fewer ${what} are odd, whatever is usual.`);
const max = (what: string) => number(`More ${what} are odd, whatever is usual.`);

const own = <T extends z.ZodRawShape>(shape: T) => z.strictObject({ ...common, ...shape });
const byColumn = <T extends z.ZodRawShape>(shape: T) =>
  own({
    ...shape,
    columns: z.record(identifier, own(shape)).optional().describe('Columns for which something else holds.'),
  });

const durationShape = {
  max: duration.optional().describe('Longer is odd, whatever is usual.'),
  leastChange: duration.optional().describe('A change of less is none; 30s.'),
  leastChangePercent: leastPercent(100),
};
const stages = Object.fromEntries(workStages.map((stage) => [stage, own(durationShape).optional()])) as Record<
  (typeof workStages)[number],
  z.ZodOptional<ReturnType<typeof own<typeof durationShape>>>
>;

/** What is watched from run to run, and how. Nothing needs to be said. */
export const monitorsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether runs are judged at all.'),
  sensitivity: z
    .enum(sensitivities)
    .default('normal')
    .describe(
      'How often all monitors together may be wrong: about once in ten years of hourly runs, in two years, or in a month.',
    ),
  training: z
    .strictObject({
      runs: z.int().min(2).max(1_000).default(24).describe('Runs that are learnt from first.'),
      span: duration.default('7d').describe('From the first of these to the run that is judged.'),
    })
    .prefault({})
    .describe('What is usual is not known before. Fixed bounds hold from the first run on.'),
  acceptAfter: z
    .int()
    .min(2)
    .max(1_000)
    .default(48)
    .describe(
      'So many odd runs in a row, all in the same direction, are the usual from then on. The first that was suspected counts.',
    ),
  rows: own({
    min: min('rows read'),
    max: max('rows read'),
    leastChange: least('rows', '20'),
    leastChangePercent: leastPercent(20),
  })
    .prefault({})
    .describe('How many rows were read, and which share of them were duplicates or filtered.'),
  rejected: own({ max: max('percent of the rows read'), leastChange: least('percentage points', '1') })
    .prefault({})
    .describe('The share of rows that were rejected.'),
  missing: byColumn({ max: max('percent of the clean rows'), leastChange: least('percentage points', '2') })
    .prefault({})
    .describe('The share of clean rows without a value, by column.'),
  distinct: byColumn({
    min: min('different values'),
    max: max('different values'),
    leastChange: least('values', '2'),
    leastChangePercent: leastPercent(20),
  })
    .prefault({})
    .describe('How many different values a column has, unless the number of rows explains it.'),
  distribution: byColumn({
    leastChangePercent: number(
      'A change by less than so many percent of what lies between the quartiles is none; 20. Of texts with few values: percentage points of rows that have another one; 5.',
    ),
  })
    .prefault({})
    .describe('Mean and quantiles of numbers; how often each of few values of a text occurs.'),
  categories: byColumn({ leastPercent: number('A value that fewer percent of the rows have is nobody’s concern; 1.') })
    .prefault({})
    .describe('Values that are new or gone, of texts and booleans with at most 30.'),
  duration: own({
    ...durationShape,
    stages: z.strictObject(stages).optional().describe('Stages for which something else holds.'),
  })
    .prefault({})
    .describe('How long each stage takes. Only slower is odd.'),
  lag: own({
    max: max('records'),
    leastChange: least('records', '1000'),
    leastChangePercent: leastPercent(200),
  })
    .prefault({})
    .describe('How many records the consumers are behind when a run is over.'),
  freshness: byColumn({
    max: duration.optional().describe('Older is odd, whatever is usual.'),
    leastChange: duration.optional().describe('A change of less is none; 2h.'),
    leastChangePercent: leastPercent(50),
  })
    .prefault({})
    .describe('How old the newest value of a date or timestamp column is when it is fetched.'),
  unchanged: own({ max: duration.optional().describe('Longer is odd, whatever is usual.') })
    .prefault({})
    .describe('For how long the source has given the same content.'),
  schema: own({}).prefault({}).describe('Columns of the file that came, went, or changed places.'),
});
/** Every default filled in. */
export type Monitors = z.infer<typeof monitorsSchema>;

/** What may be set of one monitor; which of it a rule has is the schema's to say. */
export interface MonitorSettings {
  readonly mute?: boolean | { readonly until: string } | undefined;
  readonly sensitivity?: Sensitivity | undefined;
  readonly severity?: (typeof severities)[number] | undefined;
  readonly min?: number | undefined;
  /** Milliseconds where the rule is about time. */
  readonly max?: number | string | undefined;
  readonly leastChange?: number | string | undefined;
  readonly leastChangePercent?: number | undefined;
  readonly leastPercent?: number | undefined;
}

/** What holds for a rule and its subject: what is said of the subject, then of the rule. */
export function monitorOf(monitors: Monitors, rule: MonitorRule, subject?: string): MonitorSettings {
  const section = monitors[rule];
  const special: Readonly<Record<string, MonitorSettings | undefined>> =
    ('columns' in section ? section.columns : 'stages' in section ? section.stages : undefined) ?? {};
  return { ...section, ...(subject !== undefined && Object.hasOwn(special, subject) ? special[subject] : {}) };
}

/** Whether nobody is to be told of it now. @param now milliseconds since 1970 */
export function isMuted({ mute: muted }: Pick<MonitorSettings, 'mute'>, now: number): boolean {
  return typeof muted === 'object' ? now < Date.parse(muted.until) : muted === true;
}
