import { z } from 'zod';

/** The types a column may have. Each has a lexical grammar (see `lexical.ts`) that decides before anything is cast. */
export const columnTypes = ['string', 'integer', 'decimal', 'boolean', 'date', 'timestamp'] as const;
export type ColumnType = (typeof columnTypes)[number];

export const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower case letters, digits and _, beginning with a letter (63 at most)');

/** A text or number of a definition, compared as the column's type. */
const scalar = z.union([z.string(), z.number(), z.boolean()]);

export const precisionSchema = z.int().min(1).max(38).default(18).describe('Digits of a decimal in all.');
export const scaleSchema = z.int().min(0).max(37).default(6).describe('Digits of a decimal after the point.');

const replacement = z.union([
  z.strictObject({ find: z.string().min(1), with: z.string().default('') }).describe('Each place of a text.'),
  z
    .strictObject({ pattern: z.string().min(1), with: z.string().default('') })
    .describe('Each match of a regular expression (RE2 subset); `with` is taken as it stands.'),
]);

const onMissing = z.union([
  z.enum(['reject', 'drop', 'null', 'mean', 'median', 'mode']),
  z.strictObject({ default: scalar }).describe('This value.'),
  z.strictObject({ copy: identifier }).describe('What stands in another column of the row.'),
  z
    .strictObject({
      forwardFill: z.strictObject({
        within: z.array(identifier).default([]).describe('Only from rows with the same values here.'),
        order: z.array(identifier).default([]).describe('In ascending order of these; of the key where left out.'),
      }),
    })
    .describe('The value of the nearest row before it that has one.'),
]);

/** How one source column becomes a clean one. */
export const columnSchema = z
  .strictObject({
    name: identifier.describe('Name of the clean column.'),
    type: z.enum(columnTypes).default('string'),
    precision: precisionSchema,
    scale: scaleSchema,
    trim: z.boolean().default(true).describe('Take white space off both ends first.'),
    normalise: z.boolean().optional().describe('Compose letters and their accents (Unicode NFC).'),
    replace: z.array(replacement).min(1).optional().describe('Replace parts of the text, one after the other.'),
    case: z
      .enum(['upper', 'lower'])
      .optional()
      .describe('Letter by letter: ß has no upper case of one letter and stays.'),
    pad: z.int().min(1).max(64).optional().describe('Fill up with zeros on the left to this many characters.'),
    missing: z
      .array(z.string())
      .optional()
      .describe(
        'Texts (after trimming, and after replacing) that mean: no value; those of source.format where left out.',
      ),
    decimal: z.enum(['.', ',']).optional().describe('The decimal mark; that of source.format where left out.'),
    thousands: z
      .enum(['', ',', '.', ' ', "'", '_'])
      .optional()
      .describe('Between groups of three digits; that of source.format where left out.'),
    formats: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'How a date or timestamp is written: `MM/DD/YYYY`, `D MMM YY h:mm A`, `unix`, `unix-ms`, `ISO`; the first that fits.',
      ),
    zone: z
      .string()
      .optional()
      .describe('The time zone of timestamps that are written without one: Europe/Berlin, UTC.'),
    onMissing: onMissing
      .default('null')
      .describe(
        'What happens to a row without a value here: reject, drop (counted as filtered), null, or a value from elsewhere.',
      ),
    required: z.boolean().default(false).describe('Short for `onMissing: reject`.'),
    length: z
      .strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() })
      .optional()
      .describe('Characters that a text may have, inclusive.'),
    pattern: z.string().optional().describe('The whole text must match this regular expression (RE2 subset).'),
    values: z.array(z.string()).min(1).optional().describe('The only texts allowed.'),
    range: z
      .strictObject({ min: z.number().optional(), max: z.number().optional() })
      .optional()
      .describe('Inclusive bounds of a number.'),
  })
  .describe('How one source column becomes a clean one.');
export type Column = z.infer<typeof columnSchema>;

/** A column as it is published and landed: clean columns first, then generated ones. */
export interface OutputColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly precision?: number;
  readonly scale?: number;
}
