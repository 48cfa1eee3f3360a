import { z } from 'zod';
import { incidentRules, incidentStates, severities, type Incident } from '../../definition/incidents.ts';
import type { Api, ApiContext } from './context.ts';
import { answers } from './problem.ts';
import { definedOf, instantSchema, nameSchema, schemaOf } from './schemas.ts';

const tags = ['incidents'];
const idSchema = z
  .string()
  .regex(/^incident\/[a-z][a-z0-9-]{0,39}\/[a-z-]{1,40}(\/[^/]{1,200})?$/, 'is no incident’s id')
  .meta({
    description: 'As the list has it, with its slashes written as %2F.',
    examples: ['incident/broadband/run-failed/SourceNotFound'],
  });
const path = z.object({ id: idSchema });

const incident = schemaOf<Incident>()(
  z
    .object({
      id: z.string().describe('Of its workflow, and so the same for each incident of the problem.'),
      pipeline: z.string(),
      rule: z.enum(incidentRules),
      subject: z.string().exactOptional(),
      severity: z.enum(severities),
      openedAs: z
        .enum(severities)
        .exactOptional()
        .describe('Its severity when it opened, where it has another one by now.'),
      state: z.enum(incidentStates),
      openedAt: instantSchema,
      lastSeenAt: instantSchema,
      endedAt: instantSchema.exactOptional(),
      occurrences: z.int(),
      hours: z.array(z.string()).describe('Hours that it was seen in, the newest 50.'),
      sentence: z.string(),
      facts: z.array(z.object({ name: z.string(), value: z.string() })),
      workflowId: z.string().exactOptional(),
      runId: z.string().exactOptional(),
      acknowledged: z.object({ by: z.string(), at: instantSchema, note: z.string().exactOptional() }).exactOptional(),
      escalatedAt: instantSchema.exactOptional(),
      silencedUntil: instantSchema.exactOptional(),
    })
    .meta({ id: 'Incident' }),
);

const text = z.string().regex(/\S/, 'must not be empty').max(500);
const by = text.describe('Who does it.');
const openedAt = instantSchema
  .optional()
  .describe(
    'Of the incident that is meant, as it was looked at: where another of its problem is open by now, that one is left alone (409).',
  );

const words = {
  acknowledge: {
    summary: 'Somebody sees to it: no more reminders, and it does not escalate',
    body: z.strictObject({ by, note: text.optional().describe('What is being done.'), openedAt }),
  },
  silence: {
    summary: 'Nobody is told of it for a while',
    body: z.strictObject({ by, until: instantSchema.describe('The end; at most a year from now.'), openedAt }),
  },
  close: {
    summary: 'It is over; seen again, it is a new one',
    body: z.strictObject({ by, reason: text.describe('Why.'), openedAt }),
  },
} as const;

/** What is wrong with pipelines, and who sees to it. */
export function incidentRoutes(api: Api, { session }: ApiContext): void {
  api.get(
    '/incidents',
    {
      schema: {
        ...{ operationId: 'listIncidents', tags, summary: 'Incidents, the newest first' },
        querystring: z.object({
          pipeline: nameSchema.optional(),
          state: z.enum(['open', 'all']).default('open').describe('`all`: those that are over as well.'),
          limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('So many, the newest.'),
        }),
        response: answers(z.object({ incidents: z.array(incident) })),
      },
    },
    ({ query: { state, ...rest } }) =>
      session.use(async ({ incidents }) => ({
        incidents: await incidents.list({ ...definedOf(rest), all: state === 'all' }),
      })),
  );
  api.get(
    '/incidents/:id',
    {
      schema: {
        ...{ operationId: 'getIncident', tags, summary: 'How an incident stands; the newest of its problem' },
        ...{ params: path, response: answers(incident) },
      },
    },
    ({ params }) => session.use(({ incidents }) => incidents.get(params.id)),
  );
  const steer = <Body extends z.ZodObject>(
    word: keyof typeof words,
    body: Body,
    act: (id: string, given: z.output<Body>) => Promise<Incident>,
  ): void => {
    api.post(
      `/incidents/:id/${word}`,
      {
        schema: {
          ...{ operationId: `${word}Incident`, tags, summary: words[word].summary, params: path, body },
          response: answers(incident, 'How it stands now.'),
        },
      },
      ({ params, body: given }) => act((params as z.output<typeof path>).id, given as z.output<Body>),
    );
  };
  steer('acknowledge', words.acknowledge.body, (id, given) =>
    session.use(({ incidents }) => incidents.acknowledge(id, definedOf(given))),
  );
  steer('silence', words.silence.body, (id, given) =>
    session.use(({ incidents }) => incidents.silence(id, definedOf(given))),
  );
  steer('close', words.close.body, (id, given) =>
    session.use(({ incidents }) => incidents.close(id, definedOf(given))),
  );
}
