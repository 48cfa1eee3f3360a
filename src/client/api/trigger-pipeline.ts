import { z } from 'zod';
import type { Api, ApiContext } from './context.ts';
import { LAUNCH_MS, launchRun } from './launching.ts';
import { definedOf, hourOf, hourSchema, launchedFields, nameSchema, stageSchema } from './schemas.ts';
import { errorCodes, type ErrorCode } from '../../definition/errors.ts';

const body = z
  .strictObject({
    pipeline: z
      .union([nameSchema, z.looseObject({ name: nameSchema })])
      .optional()
      .describe(
        'Its name, where it has a schedule; else its definition. The only one that has a schedule, where left out.',
      ),
    hour: hourSchema.optional().describe('The hour to run, one that has begun; the current one where left out.'),
    force: z.boolean().optional().describe('Run the hour although it is done.'),
    refetch: z.boolean().optional().describe('Ask the source again although the hour has been imported.'),
    useCurrent: z.boolean().optional().describe('An hour that is over may take what the source holds now.'),
    startFrom: stageSchema.optional().describe('Begin at this stage, with what is stored of those before.'),
  })
  .optional();

const headers = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, 'has 1 to 128 printable ASCII characters')
    .optional()
    .describe(
      'Requests with one key are one trigger, and are answered alike: one whose answer was lost may be sent again.',
    ),
});

const triggered = z
  .object({
    status: z.literal('success'),
    message: z.literal('Pipeline triggered successfully.'),
    ...launchedFields,
  })
  .meta({ id: 'Triggered' });

/** Errors of this route alone: as the user's plan has them, with the code added. */
export const failedSchema = z
  .object({
    status: z.literal('error'),
    message: z.string().describe('`Failed to trigger pipeline: …`'),
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  })
  .meta({ id: 'TriggerFailed' });

/**
 * `POST /trigger-pipeline`, as the user's plan has it: 200 where the pipeline was triggered, 500 where that failed. A request that is wrong in
 * itself (it names a pipeline that is not there, it is no JSON) has a 4xx, which the plan, whose requests ask for nothing, cannot come to.
 */
export function triggerRoutes(api: Api, context: ApiContext): void {
  api.post(
    '/trigger-pipeline',
    {
      config: { plainErrors: true },
      handlerTimeout: LAUNCH_MS + 5_000,
      schema: {
        operationId: 'triggerPipeline',
        tags: ['runs'],
        summary: 'Run a pipeline’s hour now, or join the run that there is',
        headers,
        body,
        response: {
          200: triggered,
          default: { description: 'It was not triggered.', content: { 'application/json': { schema: failedSchema } } },
        },
      },
    },
    async (request) => {
      const { pipeline, hour, ...asked } = request.body ?? {};
      const key = request.headers['idempotency-key'];
      const input = { ...definedOf(asked), ...(hour === undefined ? {} : { hour: hourOf(hour) }) };
      const launched = await launchRun(context, request, pipeline, input, key);
      return { status: 'success' as const, message: 'Pipeline triggered successfully.' as const, ...launched };
    },
  );
}
