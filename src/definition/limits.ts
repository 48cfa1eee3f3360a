import { z } from 'zod';
import { duration } from './duration-schema.ts';
import { workStages } from './names.ts';

const attempts = z.int().min(1).max(100);

const stageRetries = z.strictObject({
  attempts: attempts.optional(),
  initialInterval: duration.optional(),
  maximumInterval: duration.optional(),
});

/** A member for each stage, so that a name that is none is found, with what may have been meant. */
function eachStage<T extends z.ZodType>(schema: T) {
  const shape = Object.fromEntries(workStages.map((stage) => [stage, schema.optional()]));
  return z.strictObject(shape as Record<(typeof workStages)[number], z.ZodOptional<T>>);
}

export const retriesSchema = z.strictObject({
  attempts: attempts.default(4).describe('Tries of a stage in all: the first and three more.'),
  initialInterval: duration.default('2s').describe('The wait before the second try; each later one is twice as long.'),
  maximumInterval: duration.default('1m').describe('No wait is longer, unless a source asks for it by Retry-After.'),
  stages: eachStage(stageRetries).optional().describe('Stages that are tried otherwise; what is left out holds.'),
});

export const deadlinesSchema = z.strictObject({
  run: duration.optional().describe('How long a run may take. What it waits for on purpose does not count.'),
  stages: eachStage(duration).optional().describe('How long single stages may take, all tries and waits between them.'),
  warnAt: z
    .number()
    .min(0.1)
    .max(0.99)
    .default(0.8)
    .describe('The part of a deadline after which those that `alerts` names are told, once.'),
});
