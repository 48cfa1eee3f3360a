import { z } from 'zod';

/** The types a column may have. Each has a lexical grammar (see `lexical.ts`) that decides before anything is cast. */
export const columnTypes = ['string', 'integer', 'decimal', 'boolean', 'date', 'timestamp'] as const;
export type ColumnType = (typeof columnTypes)[number];

export const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower case letters, digits and _, beginning with a letter (63 at most)');

/** A text or number of a definition, compared as the column's type. */
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** How one source column becomes a clean one. */
export const columnSchema = z
  .strictObject({
    name: identifier.describe('Name of the clean column.'),
    type: z.enum(columnTypes).default('string'),
    precision: z.int().min(1).max(38).default(18).describe('Digits of a decimal in all.'),
    scale: z.int().min(0).max(37).default(6).describe('Digits of a decimal after the point.'),
    trim: z.boolean().default(true).describe('Take white space off both ends first.'),
    pad: z.int().min(1).max(64).optional().describe('Fill up with zeros on the left to this many characters.'),
    missing: z
      .array(z.string())
      .optional()
      .describe('Texts (after trimming) that mean: no value; those of source.format where left out.'),
    decimal: z.enum(['.', ',']).optional().describe('The decimal mark; that of source.format where left out.'),
    thousands: z
      .enum(['', ',', '.', ' ', "'", '_'])
      .optional()
      .describe('Between groups of three digits; that of source.format where left out.'),
    onMissing: z
      .union([z.enum(['reject', 'drop', 'null']), z.strictObject({ default: scalar })])
      .default('null')
      .describe('What happens to a row without a value here: reject, drop (counted as filtered), null, or a default.'),
    required: z.boolean().default(false).describe('Short for `onMissing: reject`.'),
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
