import { z } from 'zod';
import type { ConsumerState, LossAccepted, LossInput } from '../../workflows/messages.ts';
import type { ConsumerView } from '../consumer-control.ts';
import type { Api, ApiContext } from './context.ts';
import { answers } from './problem.ts';
import { schemaOf, streamSchema } from './schemas.ts';

const tags = ['consumers'];
const path = z.object({ stream: streamSchema });

const stateFields = {
  mode: z.enum(['running', 'paused', 'draining', 'halted']).describe('`halted`: it waits for a person.'),
  stream: z.string(),
  topic: z.string(),
  epoch: z.string(),
  life: z.number(),
  shard: z.int().exactOptional(),
  shards: z.int().exactOptional(),
  problem: z.object({ code: z.string(), message: z.string() }).exactOptional(),
};
const state = schemaOf<ConsumerState>()(z.object(stateFields).meta({ id: 'ConsumerState' }));

const view = schemaOf<ConsumerView>()(
  z.object({
    workflowId: z.string(),
    stream: z.string(),
    shard: z.int(),
    state: state.exactOptional().describe('Absent where no worker answers for it.'),
    note: z.string().exactOptional(),
    failing: z.string().exactOptional(),
  }),
);

const offset = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,18})$/, 'is no offset')
  .describe('An offset, as text: it may be larger than what JSON’s numbers hold.');

const loss = schemaOf<LossInput>()(
  z.strictObject({
    partition: z.int().min(0).max(9_999),
    from: offset,
    to: offset,
    reason: z.string().min(1).max(500),
  }),
);

const accepted = schemaOf<LossAccepted>()(z.object({ ...stateFields, accepted: loss }));

const words = {
  pause: 'Stop reading, until resumed; nothing is lost',
  resume: 'Read again; one that halted checks again first',
  drain: 'End the consumers; the next run starts others',
} as const;

/** Consumers of streams: looked at, and steered; each word is told to every shard. */
export function consumerRoutes(api: Api, { session }: ApiContext): void {
  api.get(
    '/consumers',
    {
      schema: {
        ...{ operationId: 'listConsumers', tags, summary: 'The consumers that run' },
        querystring: z.object({ stream: streamSchema.optional().describe('Those of one stream.') }),
        response: answers(z.object({ consumers: z.array(view) })),
      },
    },
    ({ query }) => session.use(async ({ consumers }) => ({ consumers: await consumers.list(query.stream) })),
  );
  for (const word of ['pause', 'resume', 'drain'] as const) {
    api.post(
      `/consumers/:stream/${word}`,
      {
        schema: {
          ...{ operationId: `${word}Consumers`, tags, summary: words[word], params: path },
          response: answers(z.object({ states: z.array(state) }), 'Where each of them stands now.'),
        },
      },
      ({ params }) => session.use(async ({ consumers }) => ({ states: await consumers[word](params.stream) })),
    );
  }
  api.post(
    '/consumers/:stream/losses',
    {
      schema: {
        ...{
          operationId: 'acceptLoss',
          tags,
          summary: 'Give up offsets that are lost, so that a halted consumer reads on',
        },
        ...{ params: path, body: loss },
        response: answers(accepted, 'Given up.'),
      },
    },
    ({ params, body }) => session.use(({ consumers }) => consumers.acceptLoss(params.stream, body)),
  );
}
