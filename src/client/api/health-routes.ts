import { z } from 'zod';
import { answers } from './problem.ts';
import type { Api, ApiContext } from './context.ts';

const READY_MS = 3_000;

/** For whoever restarts processes and balances load: they come by address, without a token. */
export function healthRoutes(api: Api, { session }: ApiContext): void {
  const open = { config: { open: true } };
  api.get(
    '/healthz',
    {
      ...open,
      schema: {
        operationId: 'health',
        tags: ['health'],
        summary: 'Whether this process works',
        security: [],
        response: answers(z.object({ status: z.literal('ok') }), 'It does.'),
      },
    },
    () => ({ status: 'ok' as const }),
  );
  api.get(
    '/readyz',
    {
      ...open,
      schema: {
        operationId: 'readiness',
        tags: ['health'],
        summary: 'Whether it can be asked something: whether Temporal answers',
        security: [],
        response: answers(z.object({ status: z.literal('ready') }), 'It can.'),
      },
    },
    async () => {
      await session.use(async ({ temporal }) => {
        const { namespace } = temporal.options;
        await temporal.workflowService.describeNamespace({ namespace });
      }, READY_MS);
      return { status: 'ready' as const };
    },
  );
}
