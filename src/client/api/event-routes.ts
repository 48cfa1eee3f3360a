import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { ids } from '../../definition/names.ts';
import type { RunEvent } from '../run-events.ts';
import type { Api, ApiContext } from './context.ts';
import { PROBLEM_TYPE, problemSchema } from './problem.ts';
import { hourOf, runPath } from './schemas.ts';

const SSE = 'text/event-stream';
const NDJSON = 'application/x-ndjson';

/** What proxies and browsers want to hear where nothing happens. */
const SILENCE_MS = 15_000;

/** A run's events as they come, until it is over, its reader leaves, or this server stops. */
export function eventRoutes(api: Api, { session, stopping }: ApiContext): void {
  api.get(
    '/runs/:pipeline/:hour/events',
    {
      config: { stream: true },
      schema: {
        operationId: 'followRun',
        tags: ['runs'],
        summary: 'What happens in a run, as it happens',
        description:
          'Server-sent events, or JSON a line for `Accept: application/x-ndjson`. The first ones say what has happened so far; the last one has the type `ended`.',
        params: runPath,
        response: {
          200: {
            description: 'Events.',
            content: { [SSE]: { schema: z.string() }, [NDJSON]: { schema: z.string() } },
          },
          default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
        },
      },
    },
    async (request, reply) => {
      const { pipeline, hour } = request.params;
      const client = await session.client();
      const left = new AbortController();
      reply.raw.once('close', () => left.abort());
      const signal = AbortSignal.any([stopping, left.signal]);
      const events = client.runs.events(ids.pipeline(pipeline, hourOf(hour)), { signal });
      // Where there is no such run, that is the answer, and not a stream that ends.
      const first = await events.next();
      const form = request.headers.accept?.includes(NDJSON) === true ? lines : serverSent;
      // To the describing schema the stream is the text that it comes to.
      const body = Readable.from(written(first, events, form));
      return reply
        .type(form.type)
        .header('x-accel-buffering', 'no')
        .send(body as unknown as string);
    },
  );
}

interface Form {
  readonly type: string;
  readonly event: (event: RunEvent) => string;
  readonly silence: string;
}

const serverSent: Form = {
  type: SSE,
  event: (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  silence: ': nothing new\n\n',
};
const lines: Form = { type: NDJSON, event: (event) => `${JSON.stringify(event)}\n`, silence: '\n' };

async function* written(
  first: IteratorResult<RunEvent>,
  events: AsyncGenerator<RunEvent>,
  { event, silence }: Form,
): AsyncGenerator<string> {
  let next = Promise.resolve(first);
  try {
    for (;;) {
      const rest = new AbortController();
      const silent = wait(SILENCE_MS, undefined, { signal: rest.signal }).catch(() => undefined);
      const found = await Promise.race([next, silent]);
      rest.abort();
      if (found === undefined) yield silence;
      else if (found.done) return;
      else {
        yield event(found.value);
        next = events.next();
      }
    }
  } finally {
    await events.return(undefined);
  }
}
