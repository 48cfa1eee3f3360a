import { z } from 'zod';
import type { Json } from '../../definition/canonical-json.ts';
import { acceptDefinition } from '../../definition/check-definition.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { ScheduleListed, ScheduleView } from '../schedules/describing.ts';
import type { AppliedSchedules, PipelineSchedules, ScheduleState } from '../schedules/schedules.ts';
import type { Difference } from '../schedules/differences.ts';
import type { SchedulePlan } from '../schedules/standing.ts';
import type { Api, ApiContext } from './context.ts';
import { answers } from './problem.ts';
import { definedOf, hourOf, hourSchema, instantSchema, nameSchema, scheduleSchema, schemaOf } from './schemas.ts';

const tags = ['schedules'];
const count = z.int().min(0);
const texts = z.array(z.string());
const path = z.object({ name: scheduleSchema });

const listed = schemaOf<ScheduleListed>()(
  z.object({
    scheduleId: z.string(),
    starts: z.string().describe('`launch` or `maintenance`.'),
    paused: z.boolean(),
    note: z.string().exactOptional(),
    times: texts,
    timezone: z.string(),
    next: z.string().exactOptional(),
    last: z.string().exactOptional(),
  }),
);

const started = z.object({
  workflowId: z.string(),
  startedAt: instantSchema,
  hour: z.string().exactOptional(),
  outcome: z.string(),
});

const view = schemaOf<ScheduleView>()(
  z
    .object({
      scheduleId: z.string(),
      pipeline: z.string().exactOptional(),
      starts: z.string(),
      paused: z.boolean(),
      note: z.string().exactOptional(),
      times: texts,
      skip: texts,
      timezone: z.string(),
      startAt: z.string().exactOptional(),
      endAt: z.string().exactOptional(),
      jitter: z.string(),
      overlap: z.string(),
      catchUp: z.string(),
      pauseOnFailure: z.boolean(),
      next: texts.describe('The next five.'),
      recent: z.array(started).describe('The newest ten, the newest first.'),
      running: texts.describe('What it started and still follows.'),
      waiting: count,
      counts: z.object({ started: count, missed: count, skipped: count, dropped: count }),
      createdAt: instantSchema,
      changedAt: instantSchema.exactOptional(),
    })
    .meta({ id: 'Schedule' }),
);

const state = schemaOf<ScheduleState>()(
  z.object({
    scheduleId: z.string(),
    paused: z.boolean(),
    note: z.string().exactOptional(),
  }),
);

const json = z.unknown() as z.ZodType<Json>;
const difference = schemaOf<Difference>()(
  z.object({ path: z.string(), old: json.exactOptional(), new: json.exactOptional() }),
);
const plan = schemaOf<SchedulePlan>()(
  z.object({
    scheduleId: z.string(),
    change: z.enum(['create', 'update', 'delete', 'none']),
    differences: z.array(difference).describe('Field by field.'),
    notes: texts,
  }),
);
/** What was done has an outcome, what would be done has none. */
const plans = schemaOf<PipelineSchedules & Partial<AppliedSchedules>>()(
  z.object({
    pipeline: z.string(),
    schedules: z.array(plan),
    outcome: z
      .enum(['created', 'updated', 'unchanged'])
      .exactOptional()
      .describe('Of the pipeline’s own schedule; absent where nothing was to be done (`dryRun`).'),
  }),
);

const note = z
  .strictObject({ note: z.string().min(1).max(500).optional().describe('Kept by the schedule.') })
  .optional();

/** When pipelines run: schedules looked at, made, steered. */
export function scheduleRoutes(api: Api, { session }: ApiContext): void {
  api.get(
    '/schedules',
    {
      schema: {
        ...{ operationId: 'listSchedules', tags, summary: 'All schedules; the list may be some seconds behind' },
        response: answers(z.object({ schedules: z.array(listed) })),
      },
    },
    () => session.use(async ({ schedules }) => ({ schedules: await schedules.list() })),
  );
  api.get(
    '/schedules/:name',
    {
      schema: {
        ...{ operationId: 'getSchedule', tags, summary: 'How a schedule stands, what it did and what comes next' },
        ...{ params: path, response: answers(view) },
      },
    },
    ({ params }) => session.use(({ schedules }) => schedules.describe(params.name)),
  );
  api.put(
    '/schedules/:name',
    {
      schema: {
        ...{
          operationId: 'applySchedule',
          tags,
          summary: 'Make a pipeline’s schedules, or bring them up to a definition',
        },
        params: z.object({ name: nameSchema }),
        querystring: z.object({
          dryRun: z.enum(['true', 'false']).default('false').describe('`true`: change nothing.'),
        }),
        body: z.looseObject({ name: nameSchema }).describe('The definition, as a YAML file has it.'),
        response: answers(plans, 'What was done, or would be.'),
      },
    },
    ({ params, query, body }) => {
      const pipeline = acceptDefinition(body);
      if (pipeline.name !== params.name) {
        const message = `The definition is that of ${pipeline.name}, and the address names ${params.name}.`;
        throw new SluiceError('DefinitionInvalid', message);
      }
      return session.use(({ schedules }) =>
        query.dryRun === 'true' ? schedules.plan(pipeline) : schedules.apply(pipeline),
      );
    },
  );
  api.delete(
    '/schedules/:name',
    {
      schema: {
        ...{ operationId: 'deleteSchedule', tags, summary: 'Delete a pipeline’s schedules; runs and data stay' },
        params: z.object({ name: nameSchema }),
        response: answers(z.object({ deleted: texts })),
      },
    },
    ({ params }) => session.use(async ({ schedules }) => ({ deleted: await schedules.delete(params.name) })),
  );
  steeringRoutes(api, session);
}

const summaries = {
  pause: 'Start no more hours; runs that are on their way go on',
  resume: 'Start hours again, from the next one on',
} as const;

function steeringRoutes(api: Api, session: ApiContext['session']): void {
  for (const word of ['pause', 'resume'] as const) {
    api.post(
      `/schedules/:name/${word}`,
      {
        schema: {
          ...{ operationId: `${word}Schedule`, tags, summary: summaries[word] },
          ...{ params: path, body: note, response: answers(state) },
        },
      },
      ({ params, body }) => session.use(({ schedules }) => schedules[word](params.name, body?.note)),
    );
  }
  api.post(
    '/schedules/:name/trigger',
    {
      schema: {
        ...{ operationId: 'triggerSchedule', tags, summary: 'Have the schedule start an hour now, paused or not' },
        params: path,
        body: z.strictObject({ hour: hourSchema.optional() }).optional(),
        response: answers(
          z.object({
            scheduleId: z.string(),
            launch: z.string().exactOptional().describe('What it started; absent where Temporal takes its time.'),
            hour: z.string().exactOptional(),
            workflowId: z.string().exactOptional().describe('Of the hour’s run.'),
          }),
        ),
      },
    },
    ({ params, body }) => {
      const { hour } = definedOf(body ?? {});
      return session.use(({ schedules }) =>
        schedules.trigger(params.name, hour === undefined ? {} : { hour: hourOf(hour) }),
      );
    },
  );
}
