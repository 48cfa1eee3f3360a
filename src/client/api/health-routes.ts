import { z } from 'zod';
import { TemporalAnswers } from '../../connectors/temporal-answers.ts';
import { sentenceOf } from '../../definition/errors.ts';
import { answers, RequestError } from './problem.ts';
import type { Api, ApiContext } from './context.ts';

const READY_MS = 3_000;

/** For whoever restarts processes and balances load: they come by address, without a token. */
export function healthRoutes(api: Api, { session }: ApiContext): void {
  const open = { config: { open: true } };
  const temporal = new TemporalAnswers(
    () =>
      session.use(({ temporal: { options, workflowService } }) => {
        return workflowService.describeNamespace({ namespace: options.namespace });
      }, READY_MS),
    (error) => api.log.warn(sentenceOf(error)),
  );
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
      if (!(await temporal.now())) throw new RequestError(503, 'StackUnavailable', 'Temporal does not answer.');
      return { status: 'ready' as const };
    },
  );
}
