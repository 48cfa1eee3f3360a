import { z } from 'zod';
import type { Json } from '../../definition/canonical-json.ts';
import { toLogicalHour } from '../../definition/hour.ts';
import { startStages } from '../../definition/names.ts';

/** A pipeline's name. */
export const nameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'is no pipeline’s name: lower case letters, digits and "-", beginning with a letter')
  .meta({ examples: ['broadband'] });

/** A pipeline's name, or `<name>.<aggregate>`. */
export const streamSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}(\.[a-z][a-z0-9_]{0,62})?$/, 'is no stream: a pipeline’s name, or <name>.<aggregate>');

/** A pipeline's schedule has its name; that of its maintenance is `maintenance/<name>`, in an address `maintenance%2F<name>`. */
export const scheduleSchema = z
  .string()
  .regex(/^(maintenance\/)?[a-z][a-z0-9-]{0,39}$/, 'is no schedule: a pipeline’s name, or maintenance/<name>')
  .meta({ examples: ['broadband'] });

const days = [
  '[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])',
  '[0-9]{2}-(0[13-9]|1[0-2])-(29|30)',
  '[0-9]{2}-(0[13578]|1[02])-31',
  '(0[48]|[2468][048]|[13579][26])-02-29',
].join('|');
/** A day that there is, of 1900 to 2099; part of a regular expression. */
export const dayPattern = `((19|20)(${days})|2000-02-29)`;
const wellFormed = new RegExp(`^${dayPattern}T([01][0-9]|2[0-3])(:00:00)?Z?$`);

/** An hour; of the days that there are. */
export const hourSchema = z
  .string()
  .regex(wellFormed, 'is no hour: write it like 2026-11-24T03 (UTC)')
  .meta({ description: 'An hour, UTC: `2026-11-24T03` or `2026-11-24T03:00:00Z`.', examples: ['2026-11-24T03'] });

export const hourOf = (text: string): string => toLogicalHour(text.endsWith('Z') ? text : `${text}Z`);

/** A query that has these parameters and no others. */
export const queryOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const there = Object.keys(shape);
      const named = (issue.keys ?? []).map((key) => `"${printable(key)}"`).join(', ');
      return `there is no parameter ${named} here; ${there.length === 0 ? 'there are none' : `there is ${there.join(', ')}`}`;
    },
  });

/** What somebody sent, for a sentence. */
export const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);

export const stageSchema = z.enum(startStages);

export const runPath = z.object({ pipeline: nameSchema, hour: hourSchema });

export const instantSchema = z.string().meta({ format: 'date-time' });

const linksSchema = z.object({
  run: z.url().describe('The run, as this API tells it.'),
  report: z.url().describe('What it came to, once it has ended; how far it is, until then.'),
  events: z.url().describe('What happens in it, as it happens.'),
  temporal: z.url().optional().describe('The run in Temporal’s Web UI.'),
});

/** A run of an hour that was started, or joined. */
export const launchedFields = {
  pipeline: nameSchema,
  hour: z.string().describe('The hour, `2026-11-24T03:00:00Z`.'),
  outcome: z.enum(['started', 'joined']).describe('`joined`: the hour ran already, or is done.'),
  workflowId: z.string(),
  runId: z.string().optional().describe('Temporal’s; absent where the run is that new that it has none yet.'),
  links: linksSchema,
};

export type Links = z.output<typeof linksSchema>;

/**
 * A schema that tells all that an interface has: answers go out through it, and what it does not know it would leave out. Does not compile
 * where the interface has a member more, however deep.
 */
export const schemaOf =
  <T>() =>
  <Schema extends z.ZodType<T>>(
    schema: Schema & ([Lacking<T, z.output<Schema>>] extends [never] ? unknown : never),
  ): z.ZodType<T> =>
    schema;

/** Names of members that `Told` lacks; never where it has all. What may be any JSON has no members to name. */
type Lacking<T, Told> = [Json] extends [T]
  ? never
  : T extends readonly (infer Item)[]
    ? Lacking<Item, Told extends readonly (infer ToldItem)[] ? ToldItem : never>
    : T extends object
      ? {
          [Key in keyof T]-?: Key extends keyof Told
            ? Lacking<Exclude<T[Key], undefined>, Exclude<Told[Key], undefined>>
            : Key;
        }[keyof T]
      : never;

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without the fields that were not given: elsewhere `undefined` is no value. */
export const definedOf = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
