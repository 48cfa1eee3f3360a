import { z } from 'zod';
import { ids } from '../../definition/names.ts';
import type { BackfillAsked } from '../backfills.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { backfillBody, backfillProgress, backfillReport, backfillSummary } from './backfill-schemas.ts';
import type { Api, ApiContext } from './context.ts';
import { LAUNCH_MS, pipelineOf } from './launching.ts';
import { answers } from './problem.ts';
import { definedOf, hourOf, hourSchema, nameSchema } from './schemas.ts';

const tags = ['backfills'];
const path = z.object({ pipeline: nameSchema, from: hourSchema, to: hourSchema });
type Path = z.output<typeof path>;

const idOf = ({ pipeline, from, to }: Path): string => ids.backfill(pipeline, hourOf(from), hourOf(to));

/** Many hours run in one go: previewed, started, looked at, steered. */
export function backfillRoutes(api: Api, context: ApiContext): void {
  const { session } = context;
  api.get(
    '/backfills',
    {
      schema: {
        ...{ operationId: 'listBackfills', tags, summary: 'The newest backfills' },
        querystring: z.object({
          pipeline: nameSchema.optional(),
          limit: z.coerce.number().int().min(1).max(100).default(20).describe('So many, the newest.'),
        }),
        response: answers(z.object({ backfills: z.array(backfillSummary) })),
      },
    },
    ({ query }) => session.use(async ({ backfills }) => ({ backfills: await backfills.list(definedOf(query)) })),
  );
  api.post(
    '/backfills',
    {
      schema: {
        ...{ operationId: 'startBackfill', tags, summary: 'Run the hours of a range; one that runs already goes on' },
        body: backfillBody,
        response: answers(
          z.object({ workflowId: z.string(), running: z.boolean().describe('It ran already, as it was begun.') }),
        ),
      },
    },
    ({ body }) => session.use(async (client) => client.backfills.start(await askedOf(client, context, body))),
  );
  api.post(
    '/backfills/preview',
    {
      handlerTimeout: LAUNCH_MS,
      schema: {
        ...{ operationId: 'previewBackfill', tags, summary: 'How the hours of a range stand, and which would be run' },
        ...{ body: backfillBody, response: answers(backfillReport) },
      },
    },
    ({ body }) =>
      session.use(async (client) => client.backfills.preview(await askedOf(client, context, body)), LAUNCH_MS),
  );
  api.get(
    '/backfills/:pipeline/:from/:to',
    {
      schema: {
        ...{ operationId: 'getBackfill', tags, summary: 'How far a backfill is; once it is over, what it came to' },
        ...{ params: path, response: answers(backfillProgress) },
      },
    },
    ({ params }) => session.use(({ backfills }) => backfills.look(idOf(params))),
  );
  steeringRoutes(api, context);
}

const words = {
  pause: 'Start no more hours, until it is resumed; runs that are on their way go on',
  resume: 'Start hours again',
  cancel: 'Start no more hours, and end',
} as const;

function steeringRoutes(api: Api, { session }: ApiContext): void {
  for (const word of ['pause', 'resume'] as const) {
    api.post(
      `/backfills/:pipeline/:from/:to/${word}`,
      {
        schema: {
          ...{ operationId: `${word}Backfill`, tags, summary: words[word], params: path },
          response: answers(backfillProgress, 'Where it stands now.'),
        },
      },
      ({ params }) => session.use(({ backfills }) => backfills[word](idOf(params))),
    );
  }
  const runs = z.enum(['finish', 'cancel']).optional().describe('What becomes of those on their way: `finish`.');
  api.post(
    '/backfills/:pipeline/:from/:to/cancel',
    {
      schema: {
        ...{ operationId: 'cancelBackfill', tags, summary: words.cancel },
        ...{ params: path, body: z.strictObject({ runs }).optional() },
        response: answers(backfillProgress, 'Where it stands now.'),
      },
    },
    ({ params, body }) => session.use(({ backfills }) => backfills.cancel(idOf(params), definedOf(body ?? {}))),
  );
}

async function askedOf(
  client: SluiceClient,
  { pipeline: own }: ApiContext,
  { pipeline, from, to, ...rest }: z.output<typeof backfillBody>,
): Promise<BackfillAsked> {
  const definition = await pipelineOf(client, pipeline, own);
  return { pipeline: definition, from: hourOf(from), to: hourOf(to), ...definedOf(rest) };
}
