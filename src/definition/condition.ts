import { z } from 'zod';

/** A structured condition over clean columns. Compiles to SQL and to JavaScript; no text is ever evaluated as code. */
export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | { missing: string }
  | { column: string; is: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'; value: string | number | boolean }
  | { column: string; in: (string | number)[] }
  | { column: string; between: [number | string, number | string] }
  | { column: string; matches: string };

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.strictObject({ all: z.array(conditionSchema).min(1) }),
    z.strictObject({ any: z.array(conditionSchema).min(1) }),
    z.strictObject({ not: conditionSchema }),
    z.strictObject({ missing: z.string() }),
    z.strictObject({
      column: z.string(),
      is: z.enum(['eq', 'ne', 'lt', 'lte', 'gt', 'gte']),
      value: z.union([z.string(), z.number(), z.boolean()]),
    }),
    z.strictObject({ column: z.string(), in: z.array(z.union([z.string(), z.number()])).min(1) }),
    z.strictObject({
      column: z.string(),
      between: z.tuple([z.union([z.number(), z.string()]), z.union([z.number(), z.string()])]),
    }),
    z.strictObject({ column: z.string(), matches: z.string() }),
  ]),
);
