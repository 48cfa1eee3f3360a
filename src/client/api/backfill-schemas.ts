import { z } from 'zod';
import {
  backfillChoices,
  backfillOrders,
  hourStates,
  MAX_BACKFILL_HOURS,
  MAX_PARALLEL,
} from '../../definition/backfill.ts';
import type { BackfillProgress, BackfillReport } from '../../workflows/backfill-messages.ts';
import type { BackfillSummary } from '../backfills.ts';
import { hourSchema, instantSchema, nameSchema, schemaOf, stageSchema } from './schemas.ts';

const count = z.int().min(0);

export const backfillBody = z.strictObject({
  pipeline: z
    .union([nameSchema, z.looseObject({ name: nameSchema })])
    .describe('Its name, where it has a schedule; else its definition.'),
  from: hourSchema.describe('The first hour.'),
  to: hourSchema.describe('The last one, itself among them; it must have begun.'),
  only: z.enum(backfillChoices).optional().describe('Which of its hours are run; `notDone` where left out.'),
  parallel: z.int().min(1).max(MAX_PARALLEL).optional().describe('So many runs at a time.'),
  order: z.enum(backfillOrders).optional(),
  everyHour: z.boolean().optional().describe('Every hour, whether the schedule starts one in it or not.'),
  useCurrent: z.boolean().optional().describe('An hour that is over may take what the source holds now.'),
  refetch: z.boolean().optional().describe('Ask the source again although an hour has been imported.'),
  startFrom: stageSchema.optional().describe('Begin each hour at this stage.'),
  stopAfter: z.int().min(1).max(MAX_BACKFILL_HOURS).optional().describe('Start no more once so many have failed.'),
});

const found = z.record(z.enum(hourStates), count).describe('Hours of the range by how they stood.');
const failures = z.array(z.object({ hour: z.string(), code: z.string(), message: z.string() }));

const counts = {
  pipeline: z.string(),
  from: z.string(),
  to: z.string(),
  order: z.enum(backfillOrders),
  parallel: z.int(),
  found,
  warnings: z.array(z.string()),
  hours: count.describe('So many hours it is to run.'),
  done: count,
  joined: count,
  failed: count,
  cancelled: count,
  left: count,
  rows: count,
  startedAt: instantSchema,
  perHour: z.number().exactOptional().describe('Hours that ended in an hour of its own time.'),
  failures: failures.describe('The first 100.'),
};

export const backfillProgress = schemaOf<BackfillProgress>()(
  z
    .object({
      ...counts,
      mode: z.enum(['planning', 'running', 'paused', 'stopping', 'cancelling', 'over']),
      running: z.array(z.string()),
      waiting: z.string().exactOptional().describe('Why it starts no more for now, where it is not paused.'),
      estimatedEnd: instantSchema.exactOptional(),
    })
    .meta({ id: 'BackfillProgress' }),
);

const plan = z.object({
  found,
  stretches: z.array(z.object({ state: z.enum(hourStates), from: z.string(), to: z.string(), hours: count })),
  hours: z.array(z.string()).describe('The hours to be run, in their order.'),
  failed: z.array(z.object({ hour: z.string(), why: z.string() })),
  warnings: z.array(z.string()),
});

export const backfillReport = schemaOf<BackfillReport>()(
  z
    .object({
      ...counts,
      outcome: z.enum(['completed', 'failed', 'stopped', 'cancelled', 'planned']),
      endedAt: instantSchema,
      plan: plan.exactOptional(),
    })
    .meta({ id: 'BackfillReport' }),
);

export const backfillSummary = schemaOf<BackfillSummary>()(
  z.object({
    workflowId: z.string(),
    pipeline: z.string(),
    from: z.string(),
    to: z.string(),
    status: z.string(),
    outcome: z.string().exactOptional(),
    startedAt: instantSchema,
    closedAt: instantSchema.exactOptional(),
    progress: backfillProgress.exactOptional(),
  }),
);
