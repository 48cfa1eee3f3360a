import { z } from 'zod';
import { columnTypes, identifier, precisionSchema, scaleSchema } from './columns.ts';

/** Which rows with the same key stay, and what counts as the same. */
export const duplicatesSchema = z.strictObject({
  keep: z
    .union([z.enum(['first', 'last', 'reject']), z.strictObject({ newest: identifier })])
    .default('first')
    .describe(
      'Of rows with the same key: the first, the last, the one with the greatest value of a column (the last of equals), or none: all are rejected.',
    ),
  exact: z
    .boolean()
    .optional()
    .describe('Rows that are equal in every clean column are duplicates too; the first stays.'),
  acrossRuns: z
    .boolean()
    .optional()
    .describe('A key that a committed hour below this one has is a duplicate. Needs a key.'),
});

/** What happens when a file is not as the definition has it; the words are dlt's. */
export const contractSchema = z.strictObject({
  columns: z
    .enum(['evolve', 'freeze', 'discard_row', 'discard_value'])
    .default('discard_value')
    .describe(
      'A column that the definition does not name: evolve carries it along as text, freeze fails the run, discard_row rejects rows with a value there, discard_value leaves it out and reports it.',
    ),
  types: z
    .enum(['evolve', 'freeze', 'discard_row', 'discard_value'])
    .default('discard_row')
    .describe(
      'A text that is no value of its column’s type: evolve keeps it in a column `<name>_text` beside, freeze fails the run, discard_row rejects the row, discard_value makes it a missing value.',
    ),
});

const level = z.strictObject({ warn: z.number().min(0).optional(), block: z.number().min(0).optional() });
export type Level = z.infer<typeof level>;

/** Gates between clean and publish. */
export const qualitySchema = z.strictObject({
  rejectedPercent: level.optional().describe('At most so many of the rows read may be rejected.'),
  minRows: level.optional().describe('At least so many rows must be clean.'),
  missingPercent: z
    .record(identifier, level)
    .optional()
    .describe(
      'At most so many of the rows that are not rejected may be without a value in a column, before anything is filled in.',
    ),
  rowChangePercent: level
    .extend({ runs: z.int().min(1).max(1_000).default(24).describe('So many committed hours below this one.') })
    .optional()
    .describe('The clean rows may differ by so much from their median over the last hours.'),
});

/** A column that is computed from the others. */
export const derivedSchema = z.strictObject({
  expression: z
    .string()
    .min(1)
    .max(4_000)
    .describe('CEL over the clean columns; integers are int, decimals double, the rest as they are.'),
  type: z.enum(columnTypes).default('string'),
  precision: precisionSchema,
  scale: scaleSchema,
});
export type Derived = z.infer<typeof derivedSchema>;

export const aggregateSchema = z.strictObject({
  name: identifier.describe('The data set: part of its topic, batches, hours and index.'),
  groupBy: z.array(identifier).min(1),
  measures: z
    .record(
      identifier,
      z.union([
        z.strictObject({ count: z.literal('*') }),
        z.strictObject({ sum: identifier }),
        z.strictObject({ min: identifier }),
        z.strictObject({ max: identifier }),
        z.strictObject({ mean: identifier }),
        z
          .strictObject({ median: identifier })
          .describe('The middle value, or the exact mean of the two in the middle.'),
        z
          .strictObject({ quantile: identifier, at: z.number().gt(0).max(1) })
          .describe('The smallest value that so large a share of the values does not exceed (nearest rank).'),
        z.strictObject({ distinct: identifier }).describe('How many different values.'),
      ]),
    )
    .refine((measures) => Object.keys(measures).length > 0, 'needs at least one measure'),
});
export type Aggregate = z.infer<typeof aggregateSchema>;
