import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { SluiceError } from '../../definition/errors.ts';
import type { RunEvent } from '../run-events.ts';
import type { Api, ApiContext } from './context.ts';
import { PROBLEM_TYPE, problemSchema } from './problem.ts';
import { hourOf, runPath } from './schemas.ts';

const SSE = 'text/event-stream';
const NDJSON = 'application/x-ndjson';

/** What proxies and browsers want to hear where nothing happens. */
const SILENCE_MS = 15_000;

const serverSentEvent = z.object({
  event: z.string().describe('`stage-begun`, `stage-done`, `note`, `attempt-failed`, …, and `ended` at last.'),
  data: z.string().describe('The event as JSON: `type`, `at`, and what belongs to its type.'),
});

/** A run's events as they come, until it is over, its reader leaves, or this server stops. */
export function eventRoutes(api: Api, { session, stopping, streams }: ApiContext): void {
  api.get(
    '/runs/:pipeline/:hour/events',
    {
      config: { stream: true },
      // It would wait for the run's end to say that there is nothing.
      exposeHeadRoute: false,
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
            content: { [SSE]: { schema: serverSentEvent }, [NDJSON]: { schema: z.string() } },
          },
          default: { description: 'Any error.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
        },
      },
    },
    async (request, reply) => {
      const { pipeline, hour } = request.params;
      const left = new AbortController();
      const leave = streams.take(request.ip);
      reply.raw.once('close', () => {
        leave();
        left.abort();
      });
      const signal = AbortSignal.any([stopping, left.signal]);
      const [client, run] = await session.use(async (found) => {
        return [found, await found.runs.find(pipeline, hourOf(hour))] as const;
      });
      if (!run) throw new SluiceError('HourUnknown', `Temporal knows no run of ${pipeline} ${hour} to follow.`);
      const events = client.runs.events(run.workflowId, { signal });
      const form = request.headers.accept?.includes(NDJSON) === true ? lines : serverSent;
      // To the describing schema the stream is the text that it comes to.
      const body = Readable.from(written(events, form));
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

async function* written(events: AsyncGenerator<RunEvent>, { event, silence }: Form): AsyncGenerator<string> {
  let next = events.next();
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
    // Nobody is left to be told.
    next.catch(() => {});
    await events.return(undefined);
  }
}
