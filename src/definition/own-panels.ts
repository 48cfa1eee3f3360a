import { z } from 'zod';

const cells = (most: number): z.ZodInt => z.int().min(4).max(most);

/** A panel that a person wrote: a chart in Vega-Lite over the pipeline’s own index. */
export const ownPanelSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,59}$/, 'must be lower case letters, digits and -, beginning with a letter (60 at most)')
      .describe('Stable, as links hold it. One that a generated panel has takes that panel’s place.'),
    title: z.string().min(1).max(100),
    question: z.string().min(1).max(300).describe('What a reader learns from it, as one question.'),
    size: z
      .strictObject({
        w: cells(48).default(24).describe('Of 48 columns.'),
        h: cells(60).default(16).describe('Of rows of 20 pixels.'),
      })
      .prefault({}),
    spec: z
      .record(z.string(), z.json())
      .describe(
        'Vega-Lite 5 as Kibana takes it: `data.url` is `{ body }` with aggregations, `data.format.property` says where the rows are in the answer. Index, time range and filters are put in.',
      ),
  })
  .describe('A chart written by hand; docs/dashboards.md works one through.');

export type OwnPanel = z.infer<typeof ownPanelSchema>;
export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export type JsonMap = { readonly [key: string]: Json };

export const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every value of a spec with its path, parents first. */
export function* valuesIn(
  value: Json,
  path: readonly (string | number)[] = [],
): Generator<{ readonly path: readonly (string | number)[]; readonly value: Json }> {
  yield { path, value };
  if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* valuesIn(item as Json, [...path, at]);
  else if (isMap(value)) for (const [key, item] of Object.entries(value)) yield* valuesIn(item, [...path, key]);
}

/** The fields that a search’s aggregations name, with where. */
export function fieldsIn(body: Json): { readonly path: readonly (string | number)[]; readonly field: string }[] {
  return [...valuesIn(body)].flatMap(({ path, value }) =>
    path.at(-1) === 'field' && typeof value === 'string' ? [{ path, field: value }] : [],
  );
}
