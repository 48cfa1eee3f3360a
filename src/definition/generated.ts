import { z } from 'zod';
import { identifier } from './columns.ts';

/** Raised whenever the code of a generator gives other values for the same input; part of every batch id. */
export const generatorVersion = 1;

/** Fields that `publish` adds to each clean row. A pure function of the row, its hour and the seed. */
export const generatedFieldSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('logicalHour') }).describe('The logical hour of the run, as a timestamp.'),
  z
    .strictObject({
      kind: z.literal('band'),
      of: identifier,
      bands: z
        .array(z.strictObject({ below: z.number().optional(), label: z.string().min(1) }))
        .min(1)
        .describe('In ascending order; the last one without `below` takes the rest.'),
    })
    .describe('A label for the range that a number falls into; null stays null.'),
  z
    .strictObject({ kind: z.literal('zipLocation'), of: identifier, part: z.enum(['latitude', 'longitude', 'source']) })
    .describe('Where a US ZIP code is: degrees, or which table knew it.'),
  z
    .strictObject({
      kind: z.literal('simulated'),
      min: z.number(),
      max: z.number(),
      scale: z.int().min(0).max(9).default(3).describe('Digits after the point.'),
      around: identifier.optional().describe('A number column between 0 and 1 that shifts the value within the range.'),
    })
    .describe('A measurement that is made up, seeded by record and hour: a retry gives the same value.'),
]);
export type GeneratedField = z.infer<typeof generatedFieldSchema>;

export const generateSchema = z.strictObject({
  seed: z.string().min(1).default('sluice'),
  fields: z.record(identifier, generatedFieldSchema).default({}),
});
export type Generate = z.infer<typeof generateSchema>;
