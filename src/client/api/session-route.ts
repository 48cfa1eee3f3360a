import { z } from 'zod';
import type { Api, ApiContext } from './context.ts';
import { answers } from './problem.ts';

const session = z.object({
  maySteer: z.boolean().describe('Whether this token lets pause, resume, start and the like.'),
  needsToken: z.boolean().describe('Whether this API wants one at all.'),
});

/** What who asks may do, so that the page offers nothing that would be refused. */
export function sessionRoute(api: Api, { needsToken }: ApiContext): void {
  api.get(
    '/session',
    {
      schema: {
        ...{ operationId: 'getSession', tags: ['page'], summary: 'What this token lets do' },
        response: answers(session),
      },
    },
    ({ maySteer }) => ({ maySteer, needsToken }),
  );
}
